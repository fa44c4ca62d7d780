/** Several runs of one recipe that differ in their seeds. Browser-safe. */
import type { RunComparison } from './runs.ts';

/** Runs of one recipe with several seeds: what is alike in all of them, and how far they lie apart. */
export interface SeedGroup {
  /** Indices in the comparison. */
  readonly runs: readonly number[];
  readonly loss: Spread | null;
  readonly validationLoss: Spread | null;
  readonly bestValidationLoss: Spread | null;
}

export interface Spread {
  readonly mean: number;
  /** Standard deviation, with n − 1. */
  readonly deviation: number;
}

interface Compared extends Pick<RunComparison, 'runs'> {
  readonly recipe: readonly string[];
}

/** Of compared runs those that differ from others in their seeds alone, in the order of their first ones. */
export function seedGroups({ runs, recipe }: Compared): SeedGroup[] {
  if (!recipe.includes('seed')) return [];
  const groups = Map.groupBy(runs.keys(), (at) => {
    const { seed: _, ...others } = runs[at]?.settings ?? {};
    return JSON.stringify(others);
  });
  return [...groups.values()].flatMap((members) => {
    const own = members.flatMap((at) => runs[at] ?? []);
    if (new Set(own.map(({ settings }) => settings['seed'])).size < 2) return [];
    return [
      {
        runs: members,
        loss: spreadOf(own.map(({ loss }) => loss)),
        validationLoss: spreadOf(own.map(({ validationLoss }) => validationLoss)),
        bestValidationLoss: spreadOf(own.map(({ bestValidationLoss }) => bestValidationLoss)),
      },
    ];
  });
}

/** Null where a run has no value. */
export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const finite = values.filter((value) => value !== null);
  if (finite.length < values.length) return null;
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (finite.length - 1)) };
}
