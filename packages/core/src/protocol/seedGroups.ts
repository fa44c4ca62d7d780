/** Several runs of one recipe that differ in their seeds. Browser-safe. */
import type { RunComparison } from './runs.ts';

/** Runs of one recipe with several seeds: what is alike in all of them, and how far they lie apart. */
export interface SeedGroup {
  /** Indices in the comparison, one for each seed. */
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
  return [...groups.values()].flatMap((all) => {
    const members = oneOfEachSeed(all, (at) => ({ seed: runs[at]?.settings['seed'], step: runs[at]?.steps ?? 0 }));
    if (members.length < 2) return [];
    const own = members.flatMap((at) => runs[at] ?? []);
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

/**
 * A seed that was trained again is no further sample: of its runs the one that went furthest counts, of equals the first.
 * They stay in their order.
 */
export function oneOfEachSeed<T>(runs: readonly T[], of: (run: T) => { seed: unknown; step: number }): T[] {
  const furthest = new Map<unknown, T>();
  for (const run of runs) {
    const { seed, step } = of(run);
    const other = furthest.get(seed);
    if (other === undefined || of(other).step < step) furthest.set(seed, run);
  }
  const counted = new Set(furthest.values());
  return runs.filter((run) => counted.has(run));
}

/** What `anneal train --seeds` calls a run. */
export function nameWithSeed(name: string, seed: number): string {
  return `${name}-seed-${seed}`;
}

/** What all runs of such a name have in common. */
export function nameWithoutSeed({ name, seed }: { name: string; seed: number | null }): string {
  const end = nameWithSeed('', seed ?? 0);
  return seed !== null && name.endsWith(end) ? name.slice(0, -end.length) : name;
}

/** Null where a run has no value. */
export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const finite = values.filter((value) => value !== null);
  if (finite.length < values.length) return null;
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (finite.length - 1)) };
}
