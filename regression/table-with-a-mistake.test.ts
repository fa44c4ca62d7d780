/** DuckDB's detection took a CSV file with a mistake for one of another dialect: fewer columns, or fewer rows. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const write = (text: string): string => {
  const path = join(temporaryFolder(), 'rows.csv');
  writeFileSync(path, text);
  return path;
};

async function rowsOf(text: string): Promise<unknown[]> {
  const source = await openSource(write(text));
  const rows = await source.page(0, 100);
  await source.close();
  return rows.map(({ value }) => value);
}

test.each([
  ['more fields than the header', 'instruction,output\na,b\nc,d,e\n', 3],
  ['fewer fields than the header', 'instruction,output,note\na,b,\nc,d\n', 3],
  ['a delimiter outside quotes', 'text\nhello, world\nfoo; bar\n', 2],
  ['quotes that do not end', 'instruction,output\n"a,b\nc,d\n', 2],
  ['quotes that are not doubled', 'instruction,output\n"a \\"b\\"",c\n', 2],
])('%s', async (_, text, line) => {
  const path = write(text);
  await expect(openSource(path)).rejects.toMatchObject({ code: 'malformed_row', where: `${path}:${line}` });
});

test('the header decides', async () => {
  expect(await rowsOf('\uFEFFinstruction;output\r\n"a; ""b""\nc";1,5\r\n')).toEqual([
    { instruction: 'a; "b"\nc', output: '1,5' },
  ]);
  expect(await rowsOf('"a, ""b""",,A\n1,2,3\n')).toEqual([{ 'a, "b"': '1', column1: '2', A: '3' }]);
  expect(await rowsOf("it's,It's\n1,2\n")).toEqual([{ "it's": '1', "It's_": '2' }]);
  expect(await rowsOf('text\nhello\n')).toEqual([{ text: 'hello' }]);
});
