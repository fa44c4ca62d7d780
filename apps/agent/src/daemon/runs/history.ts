/** What the events of a run add up to, as the studio shows it: a fold over them that can be kept and gone on with. */
import { AlertWatch, keptAlertsSchema } from '@anneal/core/alerts/alertWatch';
import { type RunEvent, runEventSchema } from '@anneal/core/protocol/events';
import { initialStatus, type Status, statusAfter, statusSchema } from '@anneal/core/protocol/status';
import type { RunSeries } from '@anneal/core/protocol/studio';
import { z } from 'zod';
import { keptOutlineSchema, Outline } from './outline.ts';
import { placeOf, type StepTable } from './stepTable.ts';

/** Of the events that are no step. Samples are a few KiB each at most. */
const mostHappenings = 1000;
const mostNotFinite = 100;

/** All of it but the steps themselves. */
export const keptHistorySchema = z.object({
  status: statusSchema,
  evaluations: z.array(z.object({ step: z.number(), loss: z.number().nullable() })),
  checkpoints: z.array(z.number()),
  resumes: z.array(z.number()),
  notFinite: z.array(z.number()),
  happenings: z.array(runEventSchema),
  launchStart: z.number(),
  /** Of the GPU that its newest launch trains on. */
  busId: z.string().nullable(),
  /** Of the loss. */
  outline: keptOutlineSchema,
  alerts: keptAlertsSchema,
});
export type KeptHistory = z.infer<typeof keptHistorySchema>;

export class RunHistory {
  readonly steps: StepTable;
  readonly alerts: AlertWatch;
  #kept: KeptHistory;
  #outline: Outline;

  /** @param kept what the events that made `steps` added up to */
  constructor(id: string, steps: StepTable, kept?: KeptHistory) {
    this.steps = steps;
    this.#kept = kept ?? {
      status: initialStatus(id, id, ''),
      evaluations: [],
      checkpoints: [],
      resumes: [],
      notFinite: [],
      happenings: [],
      launchStart: 0,
      busId: null,
      outline: new Outline().kept,
      alerts: new AlertWatch().kept,
    };
    this.#outline = new Outline(this.#kept.outline);
    this.alerts = new AlertWatch(this.#kept.alerts);
  }

  get kept(): KeptHistory {
    return this.#kept;
  }

  get status(): Status {
    return this.#kept.status;
  }

  /** Means of the loss so far. */
  get outline(): number[] {
    return this.#outline.means;
  }

  get lowestEvaluationLoss(): number | null {
    const lowest = this.#kept.evaluations.reduce(
      (low, { loss }) => Math.min(low, loss ?? low),
      Number.POSITIVE_INFINITY,
    );
    return Number.isFinite(lowest) ? lowest : null;
  }

  /** What stands beside the curves. */
  get marks(): Pick<RunSeries, 'evaluations' | 'checkpoints' | 'resumes' | 'notFinite'> {
    const { evaluations, checkpoints, resumes, notFinite } = this.#kept;
    return { evaluations, checkpoints, resumes, notFinite };
  }

  add(event: RunEvent): void {
    const kept = this.#kept;
    kept.status = statusAfter(kept.status, event);
    this.alerts.add(event);
    if (event.type !== 'step') kept.happenings.push(event);
    if (kept.happenings.length > mostHappenings) kept.happenings.shift();
    switch (event.type) {
      case 'step':
        this.steps.add(event, (Date.parse(event.time) - Date.parse(kept.status.created)) / 1000);
        this.#outline.add(event.loss ?? Number.NaN);
        if (event.loss === null && kept.notFinite.length < mostNotFinite) kept.notFinite.push(event.step);
        break;
      case 'evaluated':
        kept.evaluations.push({ step: event.step, loss: event.loss });
        break;
      case 'checkpoint':
        kept.checkpoints.push(event.step);
        break;
      case 'resumed':
        this.#dropAfter(event.fromStep);
        kept.resumes.push(event.fromStep);
        kept.busId = null; // `started` says it anew
        break;
      case 'started':
        kept.launchStart = this.steps.length;
        kept.busId = event.environment?.busId ?? null;
        break;
    }
  }

  /** What a later launch repeats. */
  #dropAfter(step: number): void {
    const before = this.steps.length;
    this.steps.dropAfter(step);
    const kept = this.#kept;
    if (this.steps.length < before) {
      this.#outline = outlineOf(this.steps);
      kept.outline = this.#outline.kept;
    }
    kept.evaluations = kept.evaluations.filter((evaluation) => evaluation.step <= step);
    kept.checkpoints = kept.checkpoints.filter((checkpoint) => checkpoint <= step);
    kept.notFinite = kept.notFinite.filter((lost) => lost <= step);
  }
}

function outlineOf(steps: StepTable): Outline {
  const outline = new Outline();
  for (const { values } of steps.rows(0)) {
    for (let row = placeOf('loss'); row < values.length; row += steps.width) outline.add(values[row] as number);
  }
  return outline;
}
