/**
 * A file without line ends is one row: one of 100 MB took 4.6 GB before anything was said. Later, one row of that size kept all others from
 * being looked at. A row of a CSV file could not have more than 2 MB, and nothing said so.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { MAX_ROW } from '../packages/core/src/datasets/rowJson.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const row = (length: number): string => `{"text":"${'a'.repeat(length)}"}\n`;

test.each(['rows.jsonl', 'rows.json', 'rows.txt'])(
  'it is dropped with its place before it is read (%s)',
  async (name) => {
    const path = join(temporaryFolder(), name);
    const isList = name.endsWith('.json');
    const [open, comma, close] = isList ? ['[', ',', ']'] : ['', '', ''];
    writeFileSync(path, `${open}${row(1)}${comma}${row(MAX_ROW)}${comma}${row(2)}${comma}${row(MAX_ROW - 20)}${close}`);
    const source = await openSource(path);
    const sizes: number[] = [];
    const faults: (string | undefined)[] = [];
    for await (const batch of source.rows(2)) {
      sizes.push(...batch.map(({ value }) => JSON.stringify(value).length));
      faults.push(...batch.map(({ fault }) => fault));
    }
    expect(source.rowCount).toBe(4);
    await source.close();
    expect(faults).toEqual([
      undefined,
      expect.stringMatching(/^the row has 3355\d+ bytes.*split it/),
      undefined,
      undefined,
    ]);
    expect(sizes[1]).toBe(2);
    expect(sizes[3]).toBeGreaterThan(MAX_ROW - 20);
  },
);

test('a run counts it among the dropped rows', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'large.jsonl');
  writeFileSync(path, row(5) + row(MAX_ROW) + row(6));
  const run = await trainHere(tinyRecipe(folder, { datasets: [{ path, type: 'completion' }], max_steps: 1 }));
  expect(eventsOf(run, 'data_prepared')).toMatchObject([{ rows: 3, dropped: 1 }]);
});

test('a row of a CSV file may be as long', async () => {
  const path = join(temporaryFolder(), 'rows.csv');
  writeFileSync(path, `text\n"${'a'.repeat(20e6)}"\nb\n`);
  const source = await openSource(path);
  expect((await source.page(0, 2)).map(({ value }) => String(value.text).length)).toEqual([20e6, 1]);
  await source.close();
  writeFileSync(path, `text\n"${'a'.repeat(MAX_ROW + 1)}"\nb\n`);
  await expect(openSource(path)).rejects.toMatchObject({ what: expect.stringContaining('Maximum line size') });
});
