import type { ListedRun } from '@anneal/core/protocol/studio';
import { expect, test } from 'vitest';
import { bySeeds } from './seedFamilies.ts';

const run = (key: string, family: string | null, seed: number, loss: number | null = 1) =>
  ({ key, name: `${key}-seed-${seed}`, family, seed, step: 5, loss, lowestEvaluationLoss: null }) as ListedRun;

test('runs that differ in their seeds alone are one entry, with mean and deviation', () => {
  const [a, b, c, d] = [run('a', 'x', 1, 1), run('b', 'y', 1), run('c', 'x', 2, 3), run('d', null, 2)];
  expect(bySeeds([a, b, c, d])).toEqual([
    {
      key: 'x',
      name: 'a',
      runs: [a, c],
      seeds: [1, 2],
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

test('a seed that was trained again counts once: the run that went furthest, of equals the first', () => {
  const half = { ...run('c', 'x', 1, 9), step: 2 };
  const runs = [half, run('a', 'x', 1, 1), run('b', 'x', 1, 1), run('d', 'x', 2, 3)];
  expect(bySeeds(runs)).toMatchObject([{ runs, seeds: [1, 2], loss: { mean: 2, deviation: Math.SQRT2 } }]);
});

test('the name of a family is that of its runs without their own seed', () => {
  const named = [1, 2].map((seed) => ({ ...run('a', 'x', seed), name: `first-seed-7-seed-${seed}` }));
  expect(bySeeds(named)).toMatchObject([{ name: 'first-seed-7' }]);
  const otherwise = named.map((each) => ({ ...each, name: 'first-seed-7' }));
  expect(bySeeds(otherwise)).toMatchObject([{ name: 'first-seed-7' }]);
});
