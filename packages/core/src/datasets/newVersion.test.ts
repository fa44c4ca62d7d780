import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { openRow } from './editableRow.ts';
import { writeVersion, writeVersionWith } from './newVersion.ts';
import { openSource } from './read.ts';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder('version');
});

function fileOf(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Changes a row of the file and gives the path of the version. */
async function edit(file: string, row: number, text: string | null): Promise<string> {
  const { sha256 } = await openRow({ file, row });
  return writeVersion({ source: { file, row }, was: sha256, text, by: 'Ada' });
}

const hashOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

const contentAfter = async (file: string, row: number, text: string | null) =>
  readFileSync(await edit(file, row, text), 'utf8');

test.each<[string, string, number, string | null, string]>([
  ['a.jsonl', '{"a":1}\n{"a":2}\n{"a":3}\n', 2, '{"b": 1}', '{"a":1}\n{"b": 1}\n{"a":3}\n'],
  ['a.jsonl', '{"a":1}\n{"a":2}\n{"a":3}\n', 1, null, '{"a":2}\n{"a":3}\n'],
  ['a.jsonl', '{"a":1}\n\n{"a":2}', 3, '{\n  "a": "x y"\n}', '{"a":1}\n\n{ "a": "x y" }'],
  ['a.jsonl', '{"a":1}\n{"a":2}', 2, null, '{"a":1}\n'],
  ['a.jsonl', '\ufeff{"a":1}\r\n{"a":2}\r\n', 1, '{"a":5}', '\ufeff{"a":5}\r\n{"a":2}\r\n'],
  ['a.txt', 'one\ntwo\n', 2, 'two and a half ', 'one\ntwo and a half \n'],
  ['a.json', '[\n  {"a": 1},\n  {"a": 2}\n]\n', 2, '{"a": 9}', '[\n  {"a": 9},\n  {"a": 2}\n]\n'],
  ['a.json', '[\n  {"a": 1},\n  {"a": 2}\n]\n', 2, null, '[\n  {"a": 2}\n]\n'],
  ['a.json', '[\n  {"a": 1},\n  {"a": 2}\n]\n', 3, null, '[\n  {"a": 1}]\n'],
])('%s %j: row %i becomes %j', async (name, before, row, text, after) => {
  const path = fileOf(name, before);
  expect(await contentAfter(path, row, text)).toBe(after);
  expect(readFileSync(path, 'utf8'), 'the file itself is only read').toBe(before);
});

test.each<[string, string, string]>([
  ['a.jsonl', '{"a":1}\n{"a":2}\n', '{"a":1}\n{"a":2}\n{"b": 1}\n'],
  ['a.jsonl', '{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}\n{"b": 1}'],
  ['a.jsonl', '\ufeff{"a":1}\r\n\r\n', '\ufeff{"a":1}\r\n{"b": 1}\n\r\n'],
  ['a.json', '[\n  {"a": 1}\n]\n', '[\n  {"a": 1},\n{"b": 1}\n]\n'],
  ['a.json', '[{"a":1},{"a":2}]', '[{"a":1},{"a":2},\n{"b": 1}]'],
])('%s %j: a row is added', async (name, before, after) => {
  const path = fileOf(name, before);
  const version = await writeVersionWith({ file: path, text: '{"b": 1}', by: 'Ada' });
  expect(readFileSync(version, 'utf8')).toBe(after);
  expect(readFileSync(path, 'utf8'), 'the file itself is only read').toBe(before);
  const source = await openSource(version);
  expect((await source.page(0, 10)).at(-1)?.value).toEqual({ b: 1 });
  await source.close();
  const origin = parse(readFileSync(version.replace(/\.jsonl?$/, '.origin.yaml'), 'utf8'));
  expect(origin).toMatchObject({ change: 'added', by: 'Ada', from_sha256: hashOf(path), sha256: hashOf(version) });
});

const add = (file: string, text: string) => writeVersionWith({ file, text, by: null });

test('no row is added to a file without any, and none that is no row', async () => {
  await expect(add(fileOf('a.jsonl', '\n'), '{}')).rejects.toMatchObject({ code: 'data_empty' });
  await expect(add(fileOf('b.json', '[]'), '{}')).rejects.toMatchObject({ code: 'data_empty' });
  await expect(add(fileOf('c.jsonl', '{"a":1}\n'), 'nothing')).rejects.toMatchObject({ code: 'malformed_row' });
  await expect(add(fileOf('d.csv', 'a\n1\n'), '{}')).rejects.toMatchObject({ code: 'row_not_editable' });
});

test('rows across the pieces in which a large file is copied', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => JSON.stringify({ text: String(i % 10).repeat(200_000 + i) }));
  const path = fileOf('large.jsonl', `${rows.join('\n')}\n`);
  for (const row of [1, 20, 21, 22, 40]) {
    const edited = rows.with(row - 1, '{"text":"new"}');
    expect((await contentAfter(path, row, '{"text":"new"}')) === `${edited.join('\n')}\n`, `row ${row}`).toBe(true);
    const left = rows.toSpliced(row - 1, 1);
    expect((await contentAfter(path, row, null)) === `${left.join('\n')}\n`, `without row ${row}`).toBe(true);
  }
});

test('a version says what it was made of, has a number of its own, and can be the origin of the next', async () => {
  const path = fileOf('rows.jsonl', '{"a":1}\n{"a":2}\n');
  const second = await edit(path, 1, '{"a":5}');
  expect(second).toBe(join(folder, 'versions', 'rows.v2.jsonl'));
  expect(await edit(path, 1, null)).toBe(join(folder, 'versions', 'rows.v3.jsonl'));
  const fourth = await edit(second, 2, null);
  expect(fourth).toBe(join(folder, 'versions', 'rows.v4.jsonl'));
  expect(parse(readFileSync(join(folder, 'versions', 'rows.v4.origin.yaml'), 'utf8'))).toEqual({
    file: 'rows.v4.jsonl',
    sha256: hashOf(fourth),
    from: 'rows.v2.jsonl',
    from_sha256: hashOf(second),
    row: 2,
    change: 'removed',
    by: 'Ada',
    made: expect.stringMatching(/Z$/),
  });
  const source = await openSource(fourth);
  onTestFinished(() => source.close());
  expect(source.rowCount).toBe(1);
});

describe('refused, and nothing is written', () => {
  const rows = '{"a":1}\n{"a":2}\n';

  test.each<[string, string, string, number, string | null, string]>([
    ['no JSON', 'a.jsonl', rows, 1, '{"a":', 'malformed_row'],
    ['no object', 'a.jsonl', rows, 1, '[1]', 'malformed_row'],
    ['a key twice', 'a.jsonl', rows, 1, '{"a":1,"a":2}', 'malformed_row'],
    ['half a character', 'a.jsonl', rows, 1, '{"a":"\ud83d"}', 'malformed_row'],
    ['two lines of text', 'a.txt', 'one\ntwo\n', 1, 'a\nb', 'malformed_row'],
    ['the only row', 'a.jsonl', '{"a":1}\n', 1, null, 'last_row'],
    ['a line without a row', 'a.jsonl', '{"a":1}\n\n{"a":2}', 2, null, 'row_not_found'],
    ['two rows on a line', 'a.json', '[{"a":1},{"a":2}]', 1, null, 'row_not_editable'],
    ['a table', 'a.csv', 'a,b\n1,2\n', 2, null, 'row_not_editable'],
    ['a long row', 'a.jsonl', `{"a":"${'x'.repeat(300_000)}"}\n${rows}`, 1, null, 'row_not_editable'],
  ])('%s', async (_, name, content, row, text, code) => {
    const path = fileOf(name, content);
    await expect(edit(path, row, text)).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual([name]);
  });

  test('a row that somebody else has changed meanwhile', async () => {
    const file = fileOf('a.jsonl', rows);
    const { sha256 } = await openRow({ file, row: 1 });
    writeFileSync(file, '{"a":7}\n{"a":2}\n');
    const wanted = { source: { file, row: 1 }, was: sha256, text: '{"a":3}', by: null };
    await expect(writeVersion(wanted)).rejects.toMatchObject({ code: 'data_changed' });
  });

  test('a folder of versions that is a link', async () => {
    const path = fileOf('a.jsonl', rows);
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'versions'));
    await expect(edit(path, 1, null)).rejects.toMatchObject({ code: 'not_a_folder' });
    expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
  });

  test('one that is cancelled', async () => {
    const file = fileOf('a.jsonl', rows);
    const { sha256 } = await openRow({ file, row: 1 });
    const wanted = { source: { file, row: 1 }, was: sha256, text: null, by: null };
    await expect(writeVersion(wanted, { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(readdirSync(join(folder, 'versions'))).toEqual([]);
  });
});
