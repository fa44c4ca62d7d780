/** Runs of one recipe with several seeds (`anneal train --seeds`), as one entry of the list. */
import { nameWithoutSeed, oneOfEachSeed, type Spread, spreadOf } from '@anneal/core/protocol/seedGroups';
import type { ListedRun } from '@anneal/core/protocol/studio';

export interface SeedFamily {
  /** What opens and closes it. */
  key: string;
  name: string;
  /** In the order of the list. */
  runs: readonly ListedRun[];
  /** In the order of their runs, each once. */
  seeds: readonly (number | null)[];
  loss: Spread | null;
  validationLoss: Spread | null;
}

export type Entry = ListedRun | SeedFamily;

export function isFamily(entry: Entry): entry is SeedFamily {
  return 'runs' in entry;
}

/** Runs whose recipes differ in the seed alone stand together, where the first of them stood. */
export function bySeeds(runs: readonly ListedRun[]): Entry[] {
  const families = Map.groupBy(runs, ({ key, family }) => family ?? key);
  return [...families].flatMap(([key, members]): Entry[] => {
    const [first] = members;
    const counted = oneOfEachSeed(members, (run) => run);
    if (!first || counted.length < 2) return members;
    return [
      {
        key,
        name: nameWithoutSeed(first),
        runs: members,
        seeds: counted.map(({ seed }) => seed),
        loss: spreadOf(counted.map(({ loss }) => loss)),
        validationLoss: spreadOf(counted.map(({ lowestEvaluationLoss }) => lowestEvaluationLoss)),
      },
    ];
  });
}
