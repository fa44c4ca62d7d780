/**
 * What stands before the rows of a table was misread: Excel's `sep=;` was taken for the header, the first row of a column
 * without a header for its name, and UTF-32 for UTF-16, so that the command that was advised gave no text.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openReader } from '@anneal/core/datasets/formats/index';
import { openSource } from '@anneal/core/datasets/read';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder('first-lines');
});

async function formatOf(content: string | Buffer, name = 'rows.csv'): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const source = await openSource(path);
  try {
    const rows = (await source.page(0, 100)).map(({ value }) => value);
    return openReader(null, 'auto', rows, {}, path).format;
  } finally {
    await source.close();
  }
}

it.each(['sep=;', '"sep=,"', 'SEP=\t'])('%j is no header', async (line) => {
  await expect(formatOf(`${line}\r\ninstruction;output\r\na;b\r\n`)).rejects.toMatchObject({
    what: expect.stringContaining('is one for Excel'),
    next: 'remove this line',
  });
});

it.each(['Once upon a time there was a fox.', 'instruction^output', 'What is this?'])(
  '%j is no name of a column of texts',
  async (line) => {
    await expect(formatOf(`${line}\nAnd then another text\n`)).rejects.toMatchObject({ code: 'format_unknown' });
  },
);

it.each(['sentence', 'Review text', 'quote_en', 'Größe', 'body.text'])('%j is one', async (line) => {
  expect(await formatOf(`${line}\nOnce upon a time\n`)).toBe('completion');
});

it('UTF-32 is called so', async () => {
  const codes = [...'\ufefftext\nabc\n'].map((character) => character.codePointAt(0) as number);
  const bytes = Buffer.from(new Uint32Array(codes).buffer);
  await expect(formatOf(bytes)).rejects.toMatchObject({ next: expect.stringContaining('iconv -f UTF-32') });
});
