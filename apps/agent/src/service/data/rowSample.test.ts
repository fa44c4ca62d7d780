import type { InspectedFile } from '@anneal/core/datasets/inspect';
import { expect, test } from 'vitest';
import { sampleRows } from './rowSample.ts';
import type { InspectedRows } from './rows.ts';

interface Row {
  file: number;
  offset: number;
}

/** Files whose rows are nothing but their places, of which `table` gets lengths that tell them apart. */
function places(missing: (row: Row) => boolean = () => false) {
  const judged: Row[] = [];
  const rows = {
    async use<T>(file: number, work: (opened: InspectedFile) => Promise<T>): Promise<T> {
      const opened = {
        pick: async (offsets: readonly number[]) =>
          offsets.map((offset) => (missing({ file, offset }) ? undefined : { file, offset })),
        judge: async (picked: readonly Row[]) => {
          judged.push(...picked);
          return picked.map(() => ({
            verdict: { kind: 'kept' },
            tokens: 3,
            targetTokens: 1,
            isText: false,
            leavesOut: false,
          }));
        },
      };
      return work(opened as unknown as InspectedFile);
    },
  } as unknown as InspectedRows;
  return { rows, judged };
}

const never = new AbortController().signal;
const nameOf = ({ file, offset }: Row) => `${file}:${offset}`;

test('of few rows all are taken, each once, from the file that it is in', async () => {
  const { rows, judged } = places();
  const table = await sampleRows(rows, [3, 0, 2], never);
  expect(judged.map(nameOf).sort()).toEqual(['0:0', '0:1', '0:2', '2:0', '2:1']);
  expect(table.count).toBe(5);
});

test('the same rows are chosen each time, none of them twice, and from everywhere', async () => {
  const [first, second] = [places(), places()];
  const count = 1_000_000_000;
  await sampleRows(first.rows, [count], never);
  await sampleRows(second.rows, [count], never);
  const shared = Math.min(first.judged.length, second.judged.length);
  expect(shared).toBeGreaterThan(0);
  expect(first.judged.slice(0, shared)).toEqual(second.judged.slice(0, shared));
  expect(new Set(first.judged.map(nameOf)).size).toBe(first.judged.length);
  for (const { offset } of first.judged) expect(offset).toBeLessThan(count);
  const halves = first.judged.filter(({ offset }) => offset < count / 2).length / first.judged.length;
  expect(halves).toBeGreaterThan(0.25);
  expect(halves).toBeLessThan(0.75);
});

test('a row that cannot be read is left out', async () => {
  const { rows, judged } = places(({ offset }) => offset === 1);
  await sampleRows(rows, [3], never);
  expect(judged.map(nameOf).sort()).toEqual(['0:0', '0:2']);
});

test('nothing is sampled of nothing, and a cancel is heeded', async () => {
  const { rows, judged } = places();
  expect((await sampleRows(rows, [], never)).count).toBe(0);
  await expect(sampleRows(rows, [10], AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  expect(judged).toEqual([]);
});
