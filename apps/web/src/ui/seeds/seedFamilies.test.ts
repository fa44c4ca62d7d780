import type { ListedRun } from '@anneal/core/protocol/studio';
import { expect, test } from 'vitest';
import { bySeeds } from './seedFamilies.ts';

const run = (key: string, family: string | null, seed: number, loss: number | null = 1) =>
  ({ key, name: `${key}-seed-${seed}`, family, seed, loss, lowestEvaluationLoss: null }) as ListedRun;

test('runs that differ in their seeds alone are one entry, with mean and deviation', () => {
  const [a, b, c, d] = [run('a', 'x', 1, 1), run('b', 'y', 1), run('c', 'x', 2, 3), run('d', null, 2)];
  expect(bySeeds([a, b, c, d])).toEqual([
    {
      key: 'x',
      name: 'a',
      runs: [a, c],
      loss: { mean: 2, deviation: Math.SQRT2 },
      validationLoss: null,
    },
    b,
    d,
  ]);
});

test('a run that was made twice with one seed is no group', () => {
  const twice = [run('a', 'x', 1), run('b', 'x', 1)];
  expect(bySeeds(twice)).toEqual(twice);
});

test('a run without a loss leaves the group without a mean', () => {
  expect(bySeeds([run('a', 'x', 1, 2), run('b', 'x', 2, null)])).toMatchObject([{ loss: null }]);
});
