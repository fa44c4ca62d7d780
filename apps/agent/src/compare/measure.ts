/** What the events of runs tell for setting them side by side. With `logging_steps` above 1 not every step is recorded. */
import { type RunEvent, withoutSuperseded } from '@anneal/core/protocol/events';

/** Of so many steps the mean loss is taken: one step's loss says more of its rows than of the model. */
const recent = 10;

export interface Measures {
  /** Optimizer steps behind the run. */
  steps: number;
  /** The steps with a loss on record: all, or every `logging_steps`th and the last. */
  recordedSteps: number;
  /** Mean of the last ten recorded steps; null without any, and where one was not finite. */
  loss: number | null;
  validationLoss: number | null;
  bestValidationLoss: number | null;
  /** In the recorded steps. */
  tokensPerSecond: number | null;
  /** In the recorded steps. */
  tokens: number;
  /** In all steps of a finished run, otherwise in the recorded steps. */
  milliseconds: number;
  /** The steps that `milliseconds` covers. */
  timedSteps: number;
}

export function measure(all: readonly RunEvent[]): Measures {
  const events = withoutSuperseded(all);
  const recorded = events.filter((event) => event.type === 'step');
  const evaluations = events.flatMap((event) =>
    event.type === 'evaluated' && event.loss !== null ? [event.loss] : [],
  );
  const steps = events.reduce((last, event) => ('step' in event ? Math.max(last, event.step) : last), 0);
  const tokens = sum(recorded.map((event) => event.tokens));
  const milliseconds = sum(recorded.map((event) => event.milliseconds));
  const whole = events.findLast((event) => event.type === 'finished')?.milliseconds;
  return {
    steps,
    recordedSteps: recorded.length,
    loss: mean(recorded.slice(-recent).map((event) => event.loss)),
    validationLoss: evaluations.at(-1) ?? null,
    bestValidationLoss: evaluations.length === 0 ? null : Math.min(...evaluations),
    tokensPerSecond: milliseconds === 0 ? null : (tokens / milliseconds) * 1000,
    tokens,
    milliseconds: whole ?? milliseconds,
    timedSteps: whole === undefined ? recorded.length : steps,
  };
}

/** The last steps, at most ten, of those that both recorded, and each run's mean loss over them. */
export interface CommonSteps {
  steps: number[];
  losses: (number | null)[];
}

export function commonSteps(a: readonly RunEvent[], b: readonly RunEvent[]): CommonSteps {
  const [left, right] = [lossByStep(a), lossByStep(b)];
  const steps = [...left.keys()].filter((step) => right.has(step)).slice(-recent);
  return { steps, losses: [left, right].map((losses) => mean(steps.map((step) => losses.get(step) ?? null))) };
}

/** Losses of both runs at a step; undefined where that one did not record it. */
export interface ComparedStep {
  step: number;
  losses: [number | null | undefined, number | null | undefined];
}

export function stepByStep(a: readonly RunEvent[], b: readonly RunEvent[]): ComparedStep[] {
  const [left, right] = [lossByStep(a), lossByStep(b)];
  const steps = [...new Set([...left.keys(), ...right.keys()])].sort((one, other) => one - other);
  return steps.map((step) => ({ step, losses: [left.get(step), right.get(step)] }));
}

function lossByStep(events: readonly RunEvent[]): Map<number, number | null> {
  const recorded = withoutSuperseded(events).filter((event) => event.type === 'step');
  return new Map(recorded.map(({ step, loss }) => [step, loss]));
}

function mean(values: readonly (number | null)[]): number | null {
  const finite = values.filter((value) => value !== null);
  return finite.length === 0 || finite.length < values.length ? null : sum(finite) / finite.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
