/** What routers give beside their gates, in float64. */
import type { Sums } from '../../src/cases/values.ts';

/** Token t goes to an expert by its choice c. */
export interface Assignment {
  readonly expert: number;
  readonly t: number;
  readonly c: number;
}

/** The place of each assignment once they are sorted by expert, and where each of `count` experts begins. */
export function addPlaces(
  assignments: readonly Assignment[],
  count: number,
  { places, offsets }: Readonly<Record<'places' | 'offsets', Sums>>,
): void {
  const sorted = assignments.toSorted((a, b) => a.expert - b.expert || a.t - b.t || a.c - b.c);
  for (const [place, { t, c }] of sorted.entries()) places.add(t, c, place);
  for (let e = 0; e <= count; e++) offsets.add(e, 0, sorted.filter(({ expert }) => expert < e).length);
}
