/** What is on record of a run as it is set beside others: columns instead of events, of which long runs have very many. */
import type { RunEvent } from '@anneal/core/protocol/events';

export interface RunRecord {
  /** The last optimizer step behind the run, whether it was recorded or not. */
  lastStep: number;
  /** The recorded steps, ascending. With `logging_steps` above 1 that is not every one. The next four have a value for each. */
  steps: number[];
  /** NaN where it was not finite. */
  losses: number[];
  learningRates: number[];
  tokens: number[];
  milliseconds: number[];
  evaluations: { step: number; loss: number | null }[];
  /** Milliseconds of all steps of a run that finished. */
  whole: { step: number; milliseconds: number } | null;
}

/** Each step once: what a later launch repeated is left out. */
export function recordOf(events: Iterable<RunEvent> = []): RunRecord {
  const record: RunRecord = {
    lastStep: 0,
    steps: [],
    losses: [],
    learningRates: [],
    tokens: [],
    milliseconds: [],
    evaluations: [],
    whole: null,
  };
  for (const event of events) addTo(record, event);
  return record;
}

export function addTo(record: RunRecord, event: RunEvent): void {
  if (event.type === 'resumed') dropAfter(record, event.fromStep);
  if ('step' in event) record.lastStep = Math.max(record.lastStep, event.step);
  if (event.type === 'step') {
    record.steps.push(event.step);
    record.losses.push(event.loss ?? Number.NaN);
    record.learningRates.push(event.learningRate);
    record.tokens.push(event.tokens);
    record.milliseconds.push(event.milliseconds);
  } else if (event.type === 'evaluated') {
    record.evaluations.push({ step: event.step, loss: event.loss });
  } else if (event.type === 'finished' && event.milliseconds !== undefined) {
    record.whole = { step: event.step, milliseconds: event.milliseconds };
  }
}

/** The loss that was recorded of a step: null where it was not finite, undefined where there is none. */
export function lossAt({ steps, losses }: RunRecord, step: number): number | null | undefined {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] as number) < step) low = middle + 1;
    else high = middle;
  }
  if (steps[low] !== step) return undefined;
  return finiteOrNull(losses[low] as number);
}

export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function dropAfter(record: RunRecord, step: number): void {
  const after = record.steps.findIndex((recorded) => recorded > step);
  if (after >= 0) {
    const { steps, losses, learningRates, tokens, milliseconds } = record;
    for (const column of [steps, losses, learningRates, tokens, milliseconds]) column.length = after;
  }
  record.lastStep = Math.min(record.lastStep, step);
  record.evaluations = record.evaluations.filter((evaluation) => evaluation.step <= step);
  if (record.whole && record.whole.step > step) record.whole = null;
}
