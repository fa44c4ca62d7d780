/** What the records of runs tell for setting them side by side. */
import type { RunComparison, RunMeasures } from '@anneal/core/protocol/runs';
import { finiteOrNull, lossAt, type RunRecord } from './record.ts';

/** Of so many steps the mean loss is taken: one step's loss says more of its rows than of the model. */
const recent = 10;

export function measure({ lastStep, steps, losses, evaluations, whole, ...columns }: RunRecord): RunMeasures {
  const measured = evaluations.flatMap(({ loss }) => (loss === null ? [] : [loss]));
  const tokens = sum(columns.tokens);
  const milliseconds = sum(columns.milliseconds);
  return {
    steps: lastStep,
    recordedSteps: steps.length,
    loss: mean(losses.slice(-recent).map(finiteOrNull)),
    validationLoss: measured.at(-1) ?? null,
    bestValidationLoss: measured.length === 0 ? null : measured.reduce((best, loss) => Math.min(best, loss)),
    tokensPerSecond: milliseconds === 0 ? null : (tokens / milliseconds) * 1000,
    tokens,
    milliseconds: whole?.milliseconds ?? milliseconds,
    timedSteps: whole ? lastStep : steps.length,
  };
}

export function commonSteps(runs: readonly RunRecord[]): RunComparison['commonSteps'] {
  const steps: number[] = [];
  for (const step of runs[0]?.steps.toReversed() ?? []) {
    if (runs.every((run) => lossAt(run, step) !== undefined)) steps.unshift(step);
    if (steps.length === recent) break;
  }
  return { steps, losses: runs.map((run) => mean(steps.map((step) => lossAt(run, step) ?? null))) };
}

export function stepByStep(runs: readonly RunRecord[]): NonNullable<RunComparison['steps']> {
  const every = new Set(runs.flatMap(({ steps }) => steps));
  return [...every]
    .sort((one, other) => one - other)
    .map((step) => ({ step, losses: runs.map((run) => lossAt(run, step)) }));
}

/** null where one is, and of none. */
export function mean(values: readonly (number | null)[]): number | null {
  const finite = values.filter((value) => value !== null);
  return finite.length === 0 || finite.length < values.length ? null : sum(finite) / finite.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
