import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { ROW_VERDICTS } from '../protocol/rowVerdicts.ts';
import { rowLengths } from './rowLengths.ts';
import { type JudgedRow, RowTable } from './rowTable.ts';
import { dropped, KEPT } from './types.ts';

const kept = (tokens: number, targetTokens = 1, more: Partial<JudgedRow> = {}): JudgedRow => ({
  verdict: KEPT,
  tokens,
  targetTokens,
  isText: false,
  leavesOut: false,
  ...more,
});

function tableOf(rows: readonly JudgedRow[]): RowTable {
  const table = new RowTable();
  for (const row of rows) table.append(row);
  return table;
}

test('a table says what it was told, of every verdict, also when it is read from a file', () => {
  const rows: JudgedRow[] = [
    kept(5, 3),
    kept(2 ** 32 - 1, 7, { isText: true }),
    kept(9, 2, { leavesOut: true }),
    { ...kept(40, 4), verdict: { kind: 'truncated', from: 40 } },
    ...ROW_VERDICTS.slice(2).map((reason) => ({
      ...kept(0),
      tokens: null,
      targetTokens: null,
      verdict: dropped(reason as Exclude<typeof reason, 'kept' | 'truncated'>, ''),
    })),
    ...Array.from({ length: 3000 }, (_, i) => kept(i)),
  ];
  const folder = temporaryFolder('table');
  const path = join(folder, 'rows.bin');
  const written = tableOf(rows);
  writeFileSync(path, Buffer.concat(written.bytes()));
  for (const table of [written, RowTable.read(path)]) {
    expect(table.count).toBe(rows.length);
    rows.forEach((row, place) => {
      const { verdict, tokens, targetTokens, isText, leavesOut } = row;
      const name = verdict.kind === 'dropped' ? verdict.reason : verdict.kind;
      expect([table.verdict(place), table.tokens(place), table.targetTokens(place)]).toEqual([
        name,
        tokens,
        targetTokens,
      ]);
      expect([table.isText(place), table.leavesOut(place)]).toEqual([isText, leavesOut]);
      expect(table.isProblem(place)).toBe(name !== 'kept' || leavesOut);
      expect(ROW_VERDICTS.filter((filter) => table.passes(place, filter))).toEqual([name]);
    });
  }
  writeFileSync(path, Buffer.alloc(10));
  expect(() => RowTable.read(path)).toThrow('not a table');
});

test('what a length loses is what the rows that are longer have; plain texts are split and lose nothing', () => {
  const table = tableOf([kept(10, 4), kept(20, 6), kept(30, 9), kept(1000, 1000, { isText: true })]);
  const { loss, totalRows, totalTokens, longest } = rowLengths(table, 15);
  expect({ totalRows, totalTokens, longest }).toEqual({ totalRows: 4, totalTokens: 1060, longest: 1000 });
  expect(loss).toEqual({ rows: 2, tokens: 50, targetTokens: 15, tokensBeyond: 20 });
  expect(rowLengths(table, 30).loss.rows).toBe(0);
});

test('the bins hold every row, and at each of them the loss is that of its first length', () => {
  const table = tableOf(Array.from({ length: 500 }, (_, i) => kept(i, i >> 1)));
  const { rows, width, lossOfBin } = rowLengths(table, 100);
  expect(rows.reduce((sum, count) => sum + count)).toBe(500);
  for (const [bin, loss] of lossOfBin.entries()) {
    if (bin > 0)
      expect(loss).toMatchObject({ ...rowLengths(table, bin * width - 1).loss, tokensBeyond: expect.any(Number) });
  }
});

test('a few rows that are far longer do not take the room of the others', () => {
  const { rows, width, longest } = rowLengths(
    tableOf([...Array.from({ length: 999 }, () => kept(50)), kept(100_000)]),
    64,
  );
  expect(longest).toBe(100_000);
  expect(rows.length * width).toBeLessThan(1000);
  expect(rows.at(-1)).toBe(1);
});
