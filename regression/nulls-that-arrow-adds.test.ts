/** In Parquet every struct has every field: what other rows wrote stood as `null` in tool calls and tools. */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

async function parquetOf(select: string) {
  const path = join(temporaryFolder(), 'rows.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  return openSource(path);
}

test('absent fields of structs are absent at every level, in pages and in streams', async () => {
  const source = await parquetOf(`SELECT
    [{'role': 'user', 'content': 'a', 'calls': NULL},
     {'role': 'assistant', 'content': NULL, 'calls': [{'name': 'f', 'given': {'x': 1, 'y': NULL}}]},
     {'role': 'assistant', 'content': NULL, 'calls': [{'name': 'g', 'given': {'x': NULL, 'y': {'z': NULL}}}]}] AS messages,
    MAP {'k': NULL::INT, 'l': 1} AS map, ['a', NULL] AS list, NULL::VARCHAR AS empty,
    '{"a": null, "b": 1.0}'::JSON AS json, '{"a": null}' AS text`);
  const expected = {
    messages: [
      { role: 'user', content: 'a' },
      { role: 'assistant', calls: [{ name: 'f', given: { x: 1 } }] },
      { role: 'assistant', calls: [{ name: 'g', given: { y: {} } }] },
    ],
    map: { k: null, l: 1 },
    list: ['a', null],
    empty: null,
    json: { a: null },
    text: '{"a": null}',
  };
  expect((await source.page(0, 1))[0]?.value).toMatchObject(expected);
  expect((await source.page(0, 1))[0]?.value.messages).toEqual(expected.messages);
  for await (const [row] of source.rows(1)) expect(row?.value.messages).toEqual(expected.messages);
  await source.close();
});

test('bytes that are text are read as text, also within structs', async () => {
  const source = await parquetOf(`SELECT 'caf\\xC3\\xA9'::BLOB AS text, {'a': ['x\\xE2\\x80\\x93'::BLOB]} AS deep`);
  expect(await source.page(0, 1)).toMatchObject([{ value: { text: 'café', deep: { a: ['x–'] } } }]);
  await source.close();
});

test('bytes that are none are an error that names the column', async () => {
  const source = await parquetOf(`SELECT 'a' AS text, '\\xFF\\x00'::BLOB AS image`);
  const refusal = { code: 'invalid_utf8', what: expect.stringContaining("'image'") };
  await expect(source.page(0, 1)).rejects.toMatchObject(refusal);
  await expect(source.rows(1).next()).rejects.toMatchObject(refusal);
  await source.close();
});
