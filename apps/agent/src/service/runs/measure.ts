/** What the events of runs tell for setting them side by side. With `logging_steps` above 1 not every step is recorded. */
import { type RunEvent, withoutSuperseded } from '@anneal/core/protocol/events';
import type { RunComparison, RunMeasures } from '@anneal/core/protocol/runs';

/** Of so many steps the mean loss is taken: one step's loss says more of its rows than of the model. */
const recent = 10;

export function measure(all: readonly RunEvent[]): RunMeasures {
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

export function commonSteps(a: readonly RunEvent[], b: readonly RunEvent[]): RunComparison['commonSteps'] {
  const [left, right] = [lossByStep(a), lossByStep(b)];
  const steps = [...left.keys()].filter((step) => right.has(step)).slice(-recent);
  const meanOf = (losses: ReadonlyMap<number, number | null>) => mean(steps.map((step) => losses.get(step) ?? null));
  return { steps, losses: [meanOf(left), meanOf(right)] };
}

export function stepByStep(a: readonly RunEvent[], b: readonly RunEvent[]): RunComparison['steps'] {
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
