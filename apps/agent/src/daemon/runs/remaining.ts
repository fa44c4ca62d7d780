import { placeOf, type StepTable } from './stepTable.ts';

/** Pieces of the recent past whose speeds are compared, and how many steps they need to mean something. */
const pieces = 8;
const leastSteps = 2 * pieces;
const recentSteps = 400;

/**
 * Seconds until `totalSteps`, as the faster and the slower quarter of the recent past have it. By the clock, so that
 * evaluations and checkpoints between the steps are counted in. Null until there are enough steps.
 * @param since index of the first step of this launch: a pause before it is no speed
 */
export function remainingSeconds(table: StepTable, totalSteps: number, since: number): [number, number] | null {
  const moments: { step: number; seconds: number }[] = [];
  for (const { values } of table.rows(Math.max(since, table.length - recentSteps))) {
    for (let row = 0; row < values.length; row += table.width) {
      const [step, seconds] = [values[row + placeOf('step')], values[row + placeOf('seconds')]] as [number, number];
      moments.push({ step, seconds });
    }
  }
  if (moments.length < leastSteps) return null;
  const at = (piece: number) =>
    moments[Math.floor((piece * (moments.length - 1)) / pieces)] as (typeof moments)[number];
  const speeds = Array.from(
    { length: pieces },
    (_, piece) => (at(piece + 1).seconds - at(piece).seconds) / (at(piece + 1).step - at(piece).step),
  ).sort((a, b) => a - b);
  const left = totalSteps - at(pieces).step;
  return [left * (speeds[1] as number), left * (speeds[pieces - 2] as number)];
}
