import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

// DuckDB took `to_json(t)` for a column named t where the table had one, and every row was "not an object with fields".
test.each(['t', 'T', 'whole_row', 'WHOLE_ROW'])('a table with a column named %s is read whole', async (column) => {
  const path = join(temporaryFolder(), 'rows.csv');
  writeFileSync(path, `${column},text\n1,hello\n2,world\n`);
  const source = await openSource(path);
  onTestFinished(() => source.close());
  const rows = [];
  for await (const batch of source.rows(1)) rows.push(...batch.map(({ value }) => value));
  expect(rows).toEqual([
    { [column]: '1', text: 'hello' },
    { [column]: '2', text: 'world' },
  ]);
  expect((await source.page(1, 1)).map(({ value }) => value)).toEqual(rows.slice(1));
});
