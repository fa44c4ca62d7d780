import type { StepColumns } from './columns.ts';

/** Pieces of the recent past whose speeds are compared, and how many steps they need to mean something. */
const pieces = 8;
const leastSteps = 2 * pieces;
const recentSteps = 400;

/**
 * Seconds until `totalSteps`, as the faster and the slower quarter of the recent past have it. By the clock, so that
 * evaluations and checkpoints between the steps are counted in. Null until there are enough steps.
 * @param since index of the first step of this launch: a pause before it is no speed
 */
export function remainingSeconds(columns: StepColumns, totalSteps: number, since: number): [number, number] | null {
  const seconds = columns.column('seconds').subarray(since).slice(-recentSteps);
  const steps = columns.column('step').subarray(since).slice(-recentSteps);
  if (steps.length < leastSteps) return null;
  const speeds: number[] = [];
  for (let piece = 0; piece < pieces; piece++) {
    const from = Math.floor((piece * (steps.length - 1)) / pieces);
    const to = Math.floor(((piece + 1) * (steps.length - 1)) / pieces);
    speeds.push(
      ((seconds[to] as number) - (seconds[from] as number)) / ((steps[to] as number) - (steps[from] as number)),
    );
  }
  speeds.sort((a, b) => a - b);
  const left = totalSteps - (steps.at(-1) as number);
  return [left * (speeds[1] as number), left * (speeds[pieces - 2] as number)];
}
