import { expect, test } from 'vitest';
import { permutation } from '../random.ts';
import { rowLengths } from './rowLengths.ts';
import { RowTable } from './rowTable.ts';
import { sampledLengths } from './sampledLengths.ts';
import { KEPT } from './types.ts';

const of = 20_000;
/** Long ones are few, and a tenth have no tokens. */
const lengthOf = (row: number) => (row % 10 === 0 ? null : 20 + ((row * 7919) % 300) ** 2 / 100);

function tableOf(rows: Iterable<number>): RowTable {
  const table = new RowTable();
  for (const row of rows) {
    const length = lengthOf(row);
    const tokens = length === null ? null : Math.floor(length);
    const targetTokens = tokens === null ? null : tokens >> 1;
    table.append({ verdict: KEPT, tokens, targetTokens, isText: false, leavesOut: false });
  }
  return table;
}

const all = tableOf(Array.from({ length: of }, (_, row) => row));
const samples = 60;
const parts = ['rows', 'tokens', 'targetTokens', 'tokensBeyond'] as const;

/** Of many samples, the share in which what is true lies within the margins. */
function share(ofMargin: number): number {
  const truth = rowLengths(all, 400).loss;
  const held = Array.from({ length: samples }, (_, seed) => {
    const { loss, sample } = sampledLengths(tableOf(permutation(of, seed).subarray(0, 500)), 400, of);
    return parts.filter((part) => Math.abs(loss[part] - truth[part]) <= ofMargin * (sample?.loss[part] ?? 0)).length;
  });
  return held.reduce((sum, count) => sum + count, 0) / (samples * parts.length);
}

test('what is true of all rows lies within the margins in some 95 of 100 samples, and not within half of them', () => {
  expect(share(1)).toBeGreaterThan(0.9);
  expect(share(0.5)).toBeLessThan(0.8);
});

test('of what a sample has none, it says how much there may be', () => {
  const { loss, sample } = sampledLengths(tableOf(permutation(of, 1).subarray(0, 300)), 5000, of);
  expect([loss.rows, sample?.ofNone, sample?.loss.rows]).toEqual([0, 200, 200]);
  const { sample: bins, rows } = sampledLengths(tableOf(permutation(of, 1).subarray(0, 300)), 400, of);
  expect(bins?.margins).toHaveLength(rows.length);
  expect(bins?.margins.every((margin) => margin > 0)).toBe(true);
});

test('a sample of all rows is no estimate', () => {
  expect(sampledLengths(tableOf(permutation(of, 3)), 400, of)).toEqual(rowLengths(all, 400));
});
