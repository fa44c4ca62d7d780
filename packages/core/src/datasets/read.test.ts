import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { PythonNumber } from '../templates/values.ts';
import { listDataFiles } from './dataFiles.ts';
import { openSource } from './read.ts';
import type { DataSource, RawRow } from './types.ts';

fc.configureGlobal({ seed: 3407 });

const folder = temporaryFolder('read');
let number = 0;
/** A file of its own with this content. */
function write(extension: string, content: string | Uint8Array): string {
  const path = join(folder, `${++number}${extension}`);
  writeFileSync(path, content);
  return path;
}

async function all(source: DataSource, pageRows = 2): Promise<RawRow[]> {
  const rows: RawRow[] = [];
  for await (const page of source.rows(pageRows)) rows.push(...page);
  await source.close();
  return rows;
}

describe('JSONL', () => {
  it('gives rows in order with their lines, blank lines skipped, whatever the line ends', async () => {
    const path = write('.jsonl', '\ufeff{"a":1}\r\n\n{"b":{"z":1,"a":[1,null]}}\n   \n{"a":3}');
    const source = await openSource(path);
    expect(source.rowCount).toBe(3);
    expect(source.columns).toEqual(['a', 'b']);
    expect(await source.page(1, 1)).toEqual([{ source: { file: path, row: 3 }, value: { b: { z: 1, a: [1, null] } } }]);
    expect((await source.page(2, 10)).map((row) => row.source.row)).toEqual([5]);
    expect((await all(source)).map((row) => Object.keys(row.value))).toEqual([['a'], ['b'], ['a']]);
  });

  it('pages as it streams, for any rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 20 }),
        async (rows) => {
          const source = await openSource(write('.jsonl', rows.map((row) => JSON.stringify(row)).join('\n')));
          const paged = (await source.page(0, 100)).map((row) => JSON.stringify(row.value));
          expect(paged).toEqual(rows.map((row) => JSON.stringify(JSON.parse(JSON.stringify(row)))));
          expect((await all(source, 3)).map((row) => JSON.stringify(row.value))).toEqual(paged);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keeps numbers as Python prints them', async () => {
    const [row] = await all(
      await openSource(write('.jsonl', '{"a": 1.0, "b": [12345678901234567890, 2.5, 3], "c": "1.0"}')),
    );
    expect(row?.value).toEqual({
      a: new PythonNumber('1.0', 1, false),
      b: [new PythonNumber('12345678901234567890', 12345678901234567000, true), 2.5, 3],
      c: '1.0',
    });
  });

  it.each([
    ['{"a": 1}\n{"a": \n{"a": 3}', 'malformed_row', 2],
    ['{"a": 1}\n\n[1]', 'malformed_row', 3],
    ['{"a": 1}\n7', 'malformed_row', 2],
    [new Uint8Array([...Buffer.from('{"a": 1}\n{"a": "'), 0xff, ...Buffer.from('"}\n')]), 'invalid_utf8', 2],
  ])('names the line of what it cannot read', async (content, code, line) => {
    const path = write('.jsonl', content);
    await expect(openSource(path)).rejects.toMatchObject({ code, where: `${path}:${line}` });
  });

  it.each([
    ['.jsonl', '', 'data_empty'],
    ['.jsonl', '\n \n', 'data_empty'],
    ['.json', '[]', 'data_empty'],
    ['.xlsx', 'x', 'data_kind_unknown'],
  ])('refuses a %s file without rows', async (extension, content, code) => {
    await expect(openSource(write(extension, content))).rejects.toMatchObject({ code });
  });

  it('says when a file is missing', async () => {
    await expect(openSource(join(folder, 'none.jsonl'))).rejects.toMatchObject({ code: 'file_not_found' });
    await expect(openSource(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'file_not_found' });
  });
});

describe('JSON', () => {
  it('gives the elements of a list with the lines they begin on', async () => {
    const path = write('.json', '[\n  {"a": "x ] } \\" ,"},\n  {\n    "a": [1, {"b": 2}]\n  } ,{"a": null}\n]\n');
    const rows = await all(await openSource(path));
    expect(rows.map((row) => row.value.a)).toEqual(['x ] } " ,', [1, { b: 2 }], null]);
    expect(rows.map((row) => row.source.row)).toEqual([2, 3, 5]);
  });

  it('takes a file of one object a line as what it is', async () => {
    expect(await all(await openSource(write('.json', '{"a":1}\n{"a":2}')))).toHaveLength(2);
  });

  it.each(['[{"a": 1}, {"a": 2}', '[{"a": 1}] {"a": 2}', '[{"a": 1}, }]', '[{"a": "'])(
    'refuses %s',
    async (content) => {
      await expect(openSource(write('.json', content))).rejects.toMatchObject({ name: 'UserError' });
    },
  );

  it('never does anything but read or refuse', async () => {
    const piece = fc.constantFrom('[', ']', '{', '}', '"', ',', ':', '\\', '1', '"a"', '{"a":1}', '\n', ' ', 'null');
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 12 }),
        fc.constantFrom('.json', '.jsonl'),
        async (pieces, extension) => {
          try {
            await all(await openSource(write(extension, pieces.join(''))));
          } catch (error) {
            expect(error).toMatchObject({ name: 'UserError' });
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('tables', () => {
  it('reads CSV as text, in order', async () => {
    const path = write('.csv', 'instruction,output\n"a, ""b""\nc",007\nx,1.0\n');
    const source = await openSource(path);
    expect(source.columns).toEqual(['instruction', 'output']);
    expect(source.rowCount).toBe(2);
    expect(await source.page(1, 5)).toEqual([
      { source: { file: path, row: 2 }, value: { instruction: 'x', output: '1.0' } },
    ]);
    expect((await all(source)).map((row) => row.value.output)).toEqual(['007', '1.0']);
    expect(await source.pick([1])).toEqual(await source.page(1, 1));
  });

  it('reads TSV and Parquet with nested messages', async () => {
    expect(await all(await openSource(write('.tsv', 'text\tn\nhello\t1\n')))).toMatchObject([
      { value: { text: 'hello', n: '1' } },
    ]);
    const parquet = join(folder, 'rows.parquet');
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(
      `COPY (SELECT [{'role': 'user', 'content': 'hi ' || i}, {'role': 'assistant', 'content': 'é'}] AS messages, i AS n FROM range(5000) t(i)) TO '${parquet}'`,
    );
    const source = await openSource(parquet);
    expect(source.rowCount).toBe(5000);
    expect((await source.page(4998, 1))[0]?.value).toEqual({
      messages: [
        { role: 'user', content: 'hi 4998' },
        { role: 'assistant', content: 'é' },
      ],
      n: 4998,
    });
    expect((await all(source, 256)).map((row) => row.value.n)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    const picked = await source.pick([4998, 3, 2500]);
    expect(picked.map(({ value, source: { row } }) => [value.n, row]).sort()).toEqual([
      [2500, 2501],
      [3, 4],
      [4998, 4999],
    ]);
  });

  it('picks rows of a table with a column of the name that Parquet has for their places', async () => {
    const parquet = join(folder, 'places.parquet');
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(`COPY (SELECT 9 - i AS File_Row_Number FROM range(10) t(i)) TO '${parquet}'`);
    const source = await openSource(parquet);
    expect(await source.pick([7])).toMatchObject([{ source: { row: 8 }, value: { File_Row_Number: 2 } }]);
  });

  it('reports a broken table', async () => {
    await expect(openSource(write('.parquet', 'not parquet'))).rejects.toMatchObject({ code: 'table_unreadable' });
  });
});

it('takes the lines of a text file as texts', async () => {
  expect((await all(await openSource(write('.txt', 'one\r\n\ntwo')))).map((row) => row.value)).toEqual([
    { text: 'one' },
    { text: 'two' },
  ]);
});

describe('folders', () => {
  it('stand for their data files by name', () => {
    const own = mkdtempSync(join(folder, 'set-'));
    for (const name of ['train-b.jsonl', 'train-a.csv', 'test.json', 'README.md']) writeFileSync(join(own, name), '');
    const [file = '', other] = listDataFiles(own, { split: 'train' });
    expect([file, other]).toEqual(['train-a.csv', 'train-b.jsonl'].map((name) => join(own, name)));
    expect(() => listDataFiles(file, { split: 'train' })).toThrow('`split` chooses among the files of a folder');
    expect(listDataFiles(own, { only: ['test.json'] })).toEqual([join(own, 'test.json')]);
    expect(() => listDataFiles(own, { split: 'dev' })).toThrow(/dev/);
    expect(() => listDataFiles(join(own, 'none'))).toThrow(/no such/);
  });
});
