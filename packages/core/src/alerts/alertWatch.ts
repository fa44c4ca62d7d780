/** What the events of a run raise, one after the other: a fold over them that can be kept and gone on with. */
import { z } from 'zod';
import { farAbove, fewestSteps, isNotFinite, knownLoss, levelOf } from '../diagnosis/curves.ts';
import { rounded } from '../diagnosis/evidence.ts';
import { formatBytes } from '../formatBytes.ts';
import { type Alert, type AlertName, alertSchema } from '../protocol/alerts.ts';
import type { EventOf, EventType, RunEvent } from '../protocol/events.ts';
import type { HostFacts } from './hostFacts.ts';

/** Of one run. Of more the newest. */
const mostAlerts = 20;
/** Losses, and times between steps, with which the next is compared. */
const window = 64;
/** A spike is so many standard deviations above the losses before it. */
const deviations = 6;
/** An evaluation or a checkpoint takes longer than a step: nothing shorter is a stall, nor what is no longer than such a pause was. */
const leastStallMilliseconds = 5 * 60_000;
const stallSteps = 20;
const stallPauses = 3;
/** Between launches a run stands still without a fault: pauses before any other event are not looked at. */
const ofTraining: ReadonlySet<EventType> = new Set([
  'step',
  'evaluated',
  'sample',
  'checkpoint',
  'early_stopped',
  'finished',
]);

const raisedSchema = alertSchema.omit({ acknowledged: true });
type Raised = z.infer<typeof raisedSchema>;

export const keptAlertsSchema = z.object({
  raised: z.array(raisedSchema),
  /** Of the newest steps, without those of a spike. */
  losses: z.array(z.number()),
  /** Above which the spike that lasts goes on. */
  spikeAbove: z.number().nullable(),
  /** Milliseconds from one step to the next, where nothing else happened between them. */
  intervals: z.array(z.number()),
  /** The longest time between two events that was no stall. */
  longestPause: z.number(),
  /** The newest event of a launch that goes on. */
  last: z.object({ seq: z.int(), time: z.string(), isStep: z.boolean() }).nullable(),
  /** The newest step that counts. */
  step: z.int(),
  /** Event with which the newest launch began. */
  launch: z.object({ seq: z.int(), time: z.string() }),
});
export type KeptAlerts = z.infer<typeof keptAlertsSchema>;

export class AlertWatch {
  readonly kept: KeptAlerts;

  constructor(kept?: KeptAlerts) {
    this.kept = kept ?? {
      raised: [],
      losses: [],
      spikeAbove: null,
      intervals: [],
      longestPause: 0,
      last: null,
      step: 0,
      launch: { seq: 0, time: '' },
    };
  }

  add(event: RunEvent): void {
    const { kept } = this;
    if (ofTraining.has(event.type)) this.#judgePause(event);
    if (event.type === 'started') kept.launch = { seq: event.seq, time: event.time };
    if (event.type === 'resumed') this.#dropAfter(event.fromStep);
    if (event.type === 'step') this.#judgeStep(event);
    if (event.type === 'evaluated' && event.loss === null) this.#raise(event, evaluationNotFinite(event));
    this.#goOn(event);
  }

  /** Oldest first, the newest twenty. @param facts of a run that goes on; null for any other */
  alerts(facts: HostFacts | null): Raised[] {
    const now = facts === null ? [] : [...this.#stallNow(facts), ...this.#diskNow(facts)];
    return [...this.kept.raised, ...now].slice(-mostAlerts);
  }

  #judgeStep(event: EventOf<'step'>): void {
    const { kept } = this;
    kept.step = event.step;
    if (isNotFinite(event)) return this.#raise(event, stepNotFinite(event));
    this.#end('not_finite');
    const { loss, reward } = event;
    // What is learned from rewards has a loss near 0 that says nothing.
    if (loss === null || reward !== undefined) return;
    if (kept.spikeAbove !== null && loss > kept.spikeAbove) return;
    this.#end('loss_spike');
    kept.spikeAbove = null;
    if (kept.losses.length >= fewestSteps) {
      const { mean, error } = levelOf(kept.losses);
      const limit = Math.max(
        farAbove * Math.max(mean, knownLoss),
        mean + deviations * error * Math.sqrt(kept.losses.length),
      );
      if (loss > limit) {
        kept.spikeAbove = limit;
        return this.#raise(event, spike(event.step, loss, mean));
      }
    }
    push(kept.losses, loss);
  }

  #judgePause({ type, time }: RunEvent): void {
    const { kept } = this;
    if (kept.last === null) return;
    const pause = Date.parse(time) - Date.parse(kept.last.time);
    const stall = this.#stallAfter(pause);
    if (stall) kept.raised.push({ ...stall, lasts: false });
    else kept.longestPause = Math.max(kept.longestPause, pause);
    if (!stall && type === 'step' && kept.last.isStep) push(kept.intervals, pause);
    this.#forgetOldest();
  }

  #goOn({ type, seq, time }: RunEvent): void {
    if (type === 'warning') return;
    const goesOn = type === 'started' || (ofTraining.has(type) && type !== 'finished');
    this.kept.last = goesOn ? { seq, time, isStep: type === 'step' } : null;
  }

  /** @param pause milliseconds since the newest event */
  #stallAfter(pause: number): Raised | undefined {
    const { last, intervals, longestPause, step } = this.kept;
    const least = Math.max(leastStallMilliseconds, stallPauses * longestPause);
    if (last === null || intervals.length < fewestSteps || pause < least) return undefined;
    const usual = medianOf(intervals);
    if (pause < stallSteps * usual) return undefined;
    return { seq: last.seq, time: last.time, step, lasts: true, ...stalled(step, pause, usual) };
  }

  #stallNow({ now }: HostFacts): Raised[] {
    if (this.kept.last === null) return [];
    const stall = this.#stallAfter(now - Date.parse(this.kept.last.time));
    return stall ? [stall] : [];
  }

  #diskNow({ freeDisk, neededDisk }: HostFacts): Raised[] {
    if (freeDisk >= neededDisk) return [];
    const { launch, step } = this.kept;
    return [{ ...launch, step, lasts: true, ...nearlyFull(freeDisk, neededDisk) }];
  }

  /** Once for steps that follow one another. */
  #raise({ seq, time, step }: EventOf<'step' | 'evaluated'>, text: Text): void {
    if (this.kept.raised.some(({ code, lasts }) => code === text.code && lasts)) return;
    this.kept.raised.push({ seq, time, step, lasts: true, ...text });
    this.#forgetOldest();
  }

  #end(code: Raised['code']): void {
    for (const alert of this.kept.raised) if (alert.code === code) alert.lasts = false;
  }

  /** What a later launch repeats; its machine may have another speed. */
  #dropAfter(step: number): void {
    const { kept } = this;
    kept.raised = kept.raised.filter((alert) => alert.step <= step);
    Object.assign(kept, { losses: [], spikeAbove: null, intervals: [], longestPause: 0, step });
    for (const alert of kept.raised) alert.lasts = false;
  }

  #forgetOldest(): void {
    this.kept.raised.splice(0, this.kept.raised.length - mostAlerts);
  }
}

/** With who has acknowledged each. */
export function acknowledgedBy(
  alerts: readonly Raised[],
  acknowledged: readonly (AlertName & NonNullable<Alert['acknowledged']>)[],
): Alert[] {
  return alerts.map((alert) => {
    const found = acknowledged.find(({ code, seq }) => code === alert.code && seq === alert.seq);
    return { ...alert, acknowledged: found ? { by: found.by, time: found.time } : null };
  });
}

type Text = Pick<Alert, 'code' | 'what' | 'next'>;

const afterNotFinite =
  'go on from the checkpoint before with a lower learning_rate, clipped gradients (max_grad_norm) or a longer warm-up; `anneal doctor` names values';

function stepNotFinite({ step, loss }: EventOf<'step'>): Text {
  return {
    code: 'not_finite',
    what: `the ${loss === null ? 'loss' : 'norm of the gradient'} of step ${step} is not finite`,
    next: afterNotFinite,
  };
}

function evaluationNotFinite({ step }: EventOf<'evaluated'>): Text {
  return {
    code: 'not_finite',
    what: `the validation loss after step ${step} is not finite`,
    next: afterNotFinite,
  };
}

function spike(step: number, loss: number, mean: number): Text {
  return {
    code: 'loss_spike',
    what: `the loss jumped to ${rounded(loss)} at step ${step}; it had been ${rounded(mean)}`,
    next: `look at the rows of this step with \`anneal runs batch\`; where the loss stays high, go on from an earlier checkpoint with a lower learning_rate or clipped gradients (max_grad_norm)`,
  };
}

function stalled(step: number, pause: number, usual: number): Text {
  return {
    code: 'stalled',
    what: `nothing was recorded after step ${step} for ${duration(pause)}; from one step to the next it usually takes ${duration(usual)}`,
    next: 'see what its process and the machine do: the output of the run, other programs on the device, memory that is swapped; stop it at once and resume it where it hangs',
  };
}

function nearlyFull(free: number, needed: number): Text {
  return {
    code: 'disk_nearly_full',
    what: `the disk of the run is nearly full: ${formatBytes(free)} are free, and two checkpoints and what else is written take ${formatBytes(needed)}`,
    next: 'free some with `anneal storage`, or lower save_total_limit; a run whose checkpoint does not fit ends, and can be resumed',
  };
}

function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 100) return `${rounded(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${rounded(seconds / 3600)} h`;
}

function push(values: number[], value: number): void {
  values.push(value);
  if (values.length > window) values.shift();
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
