import { expect, test } from 'vitest';
import { type PreparedRow, type Share, selectRows } from './select.ts';

/** Rows of one document each: so many of each data set, one data set after another. */
function rowsOf(counts: readonly number[]): PreparedRow[] {
  let document = 0;
  return counts.flatMap((count, dataset) =>
    Array.from({ length: count }, () => ({ dataset, hash: BigInt(document), firstDocument: document++, documents: 1 })),
  );
}

/** How many rows of each data set an epoch takes. */
function taken(counts: readonly number[], mix: readonly Partial<Share>[], seed = 1): number[] {
  const rows = rowsOf(counts);
  const shares = mix.map((share) => ({ weight: 1, ...share }));
  const { train } = selectRows(rows, shares, 0, seed);
  return counts.map((_, dataset) => [...train].filter((at) => rows[at]?.dataset === dataset).length);
}

test('percents give the longest epoch in which no row comes twice', () => {
  expect(taken([1000, 100], [{ percent: 75 }, { percent: 25 }])).toEqual([300, 100]);
  expect(taken([90, 1000], [{ percent: 75 }, { percent: 25 }])).toEqual([90, 30]);
  expect(taken([10, 20, 30], [{ percent: 20 }, { percent: 20 }, { percent: 60 }])).toEqual([10, 10, 30]);
});

test('max_samples limits a data set before its weight or percent is applied', () => {
  expect(taken([100, 50], [{ maxSamples: 10 }, {}])).toEqual([10, 50]);
  expect(taken([100, 5], [{ maxSamples: 10 }, { maxSamples: 10 }])).toEqual([10, 5]);
  expect(taken([100, 50], [{ maxSamples: 10, weight: 2 }, { weight: 0.5 }])).toEqual([20, 25]);
  expect(taken([100, 50], [{ maxSamples: 30, percent: 75 }, { percent: 25 }])).toEqual([30, 10]);
});

test('the seed decides which rows', () => {
  const [first, again, other] = [1, 1, 2].map(
    (seed) => selectRows(rowsOf([100]), [{ weight: 1, maxSamples: 10 }], 0, seed).train,
  );
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});
