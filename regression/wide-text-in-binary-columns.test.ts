/** UTF-16 text in a binary column of Parquet was trained as UTF-8, a zero after each letter: no byte of it is wrong there. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { openTable } from '../packages/core/src/datasets/tableSource.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

async function tableOf(answer: Buffer, column = 'output'): Promise<string> {
  const path = join(temporaryFolder(), 'rows.parquet');
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const row = `SELECT 'Who?' AS instruction, from_hex('${answer.toString('hex')}') AS ${column}`;
  await connection.run(`COPY (${row}) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  return path;
}

const wide = Buffer.from('It is I.', 'utf16le');

test.each([wide, Buffer.from(wide).swap16()])('%j is refused, with its column', async (bytes) => {
  const source = await openTable(await tableOf(bytes), '.parquet');
  await expect(source.page(0, 1)).rejects.toMatchObject({
    code: 'invalid_utf8',
    what: "the column 'output' holds bytes that are not UTF-8 text",
  });
  await source.close();
});

test('UTF-8 is read, and so are the characters that spell a zero', async () => {
  const source = await openTable(await tableOf(Buffer.from(String.raw`Ça: \u0000`)), '.parquet');
  expect((await source.page(0, 1))[0]?.value).toEqual({ instruction: 'Who?', output: String.raw`Ça: \u0000` });
  await source.close();
});
