/** Curves of runs that differ in their seeds as one: their mean, and a band of a standard deviation to either side. */
import { spreadOf } from '@anneal/core/protocol/seedGroups';
import type { Columns } from '../compare/lines.ts';

/** A curve, and the step that each of its points stands for. */
export interface SeedLine {
  steps: readonly number[];
  columns: Columns;
}

/**
 * The points of the curve that has the fewest; of the others those of the same step, or of the next one there is. Where one
 * has no value there is none: a mean must not jump where a run ends before the others.
 */
export function togetherOf(lines: readonly SeedLine[]): Columns {
  const { steps } = lines.reduce((a, b) => (b.steps.length < a.steps.length ? b : a));
  const points = pointsAt(lines, steps);
  return [
    points.map(({ place }) => place),
    points.map(({ spread }) => spread && spread.mean - spread.deviation),
    points.map(({ spread }) => spread && spread.mean + spread.deviation),
    points.map(({ spread }) => spread && spread.mean),
  ];
}

function pointsAt(lines: readonly SeedLine[], steps: readonly number[]) {
  const cursors = lines.map(() => 0);
  return steps.map((step) => {
    const found = lines.map(({ steps: own, columns: [places, , , values] }, line) => {
      let at = cursors[line] as number;
      while (at < own.length && (own[at] as number) < step) at++;
      cursors[line] = at;
      return { place: places[at], value: values[at] ?? null };
    });
    const places = found.flatMap(({ place }) => place ?? []);
    return {
      place: places.reduce((sum, place) => sum + place, 0) / places.length,
      spread: spreadOf(found.map(({ value }) => value)),
    };
  });
}
