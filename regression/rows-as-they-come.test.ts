/**
 * Silent wrong training, found by trying what real data hold: the answer in a column of another name was never read, the second of two
 * calls was swallowed, a flag of another name said nothing, a README.txt was trained, and 1e400 became infinity.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { openChatRenderer } from '../packages/core/src/datasets/chatRenderer.ts';
import { listDataFiles } from '../packages/core/src/datasets/dataFiles.ts';
import { detectFormat } from '../packages/core/src/datasets/formats/index.ts';
import { processRows } from '../packages/core/src/datasets/processRows.ts';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { parseRow } from '../packages/core/src/datasets/rowJson.ts';
import type { RawRow } from '../packages/core/src/datasets/types.ts';
import { readChatTemplates } from '../packages/core/src/templates/chatTemplates.ts';
import { byteTokenizer, CHATML } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown, more = {}) => ({ role: 'assistant', content, ...more });
const tokenizer = byteTokenizer();
const mask = { rolesToTrain: ['assistant'], trainOnEos: 'none' } as const;

async function processRaw(raw: readonly RawRow[], source = CHATML) {
  const renderer = openChatRenderer(tokenizer, { source });
  const reader = detectFormat(raw.map(({ value }) => value));
  if (reader === null) throw new Error('no format');
  const options = { reader, renderer, tokenizer, mask, sequenceLen: 4096, excessLength: 'drop' as const };
  return await processRows(options, raw);
}

const process = (rows: readonly RawRow['value'][], source?: string) =>
  processRaw(
    rows.map((value, i) => ({ source: { file: 'a', row: i + 1 }, value })),
    source,
  );

const trained = async (row: RawRow['value']): Promise<unknown> => {
  const [processed] = await process([row]);
  const { rendered } = processed ?? {};
  return rendered?.supervised.map(({ start, end }) => rendered.text.slice(start, end));
};

const before = [user('Q1'), assistant('WRONG'), user('Q2')];

test.each<[string, RawRow['value']]>([
  ['messages, answer', { messages: before, answer: 'RIGHT' }],
  ['messages, output', { messages: before, output: 'RIGHT', source: 'web' }],
  ['input_messages, output_messages', { input_messages: before, output_messages: [assistant('RIGHT')] }],
  ['dialog, reply', { dialog: before, reply: [assistant('RIGHT')], rejected_reply: [assistant('WRONG')] }],
  ['reply before dialog', { reply: [assistant('RIGHT')], dialog: before }],
  ['context, response', { context: before, response: 'RIGHT' }],
  ['history, query, response', { history: before.slice(0, 2), query: 'Q2', response: 'RIGHT' }],
  [
    'history as ShareGPT writes it',
    {
      history: [
        { from: 'human', value: 'Q1' },
        { from: 'gpt', value: 'WRONG' },
      ],
      instruction: 'Q2',
      output: 'RIGHT',
    },
  ],
])('a conversation in the columns %s: the answer alone is trained', async (_, row) => {
  expect(await trained(row)).toEqual(['RIGHT']);
});

test('pairs in a history are turns like any other; a conversation that is whole stays so', async () => {
  expect(await trained({ history: [['Q1', 'A1']], instruction: 'Q2', output: 'A2' })).toEqual(['A1', 'A2']);
  expect(await trained({ messages: [user('Q1'), assistant('A1')], answer: 'another' })).toEqual(['A1']);
});

const call = (name: string) => ({ id: name, type: 'function', function: { name, arguments: { of: name } } });

test('each of several calls has to be printed', async () => {
  const first = CHATML.replace(
    'message.content',
    '(message.tool_calls[0].function | tojson if message.tool_calls else message.content)',
  );
  const row = { messages: [user('q'), assistant(null, { tool_calls: [call('one'), call('two')] })] };
  const [lost] = await process([row], first);
  expect(lost?.verdict).toMatchObject({ reason: 'content_lost', detail: expect.stringContaining('tool call') });
  const [whole] = await process([row], first.replace('[0].function', ''));
  expect(whole?.verdict).toEqual({ kind: 'kept' });
});

const calling = (given: object) => ({
  messages: [user('q'), assistant(null, { tool_calls: [{ name: 'f', ...given }] })],
});

test.each<[string, string]>([
  ['{"2": 0, "10": 1, "b": 2, "a": 3}', 'kept'],
  ['{"b": 1, "2": 0}', 'dropped'],
  ['{"10": 1, "2": 0}', 'dropped'],
  ['{"a": [{"x": 1, "0": 2}]}', 'dropped'],
])('keys that are numbers would be printed in another order than they stand: arguments %s', async (given, kind) => {
  const calls = CHATML.replace(
    'message.content',
    '(message.tool_calls | tojson if message.tool_calls else message.content)',
  );
  for (const written of [given, JSON.stringify(given)]) {
    const message = `{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": ${written}}}]}`;
    const raw = parseRow(`{"messages": [{"role": "user", "content": "q"}, ${message}]}`, { file: 'a', row: 1 });
    const [row] = await processRaw([raw], calls);
    expect(row?.verdict.kind).toBe(kind);
  }
  const aside = parseRow(
    `{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "id": ${given}}`,
    {
      file: 'a',
      row: 1,
    },
  );
  expect((await processRaw([aside]))[0]?.verdict.kind).toBe('kept');
});

test('arguments under another name are not left out', async () => {
  const template = CHATML.replace(
    'message.content',
    '(message.tool_calls | tojson if message.tool_calls else message.content)',
  );
  const rows = await process(
    [calling({ args: { a: 1 } }), calling({ input: '{}' }), calling({}), calling({ id: 'x' })],
    template,
  );
  const verdicts = rows.map(({ verdict }) => (verdict.kind === 'dropped' ? verdict.reason : verdict.kind));
  expect(verdicts).toEqual(['malformed_row', 'malformed_row', 'kept', 'kept']);
});

test('a label that is a number marks no answer as bad, and is listed as unread', async () => {
  const rows = await process([0, 1, true].map((label) => ({ prompt: 'q', completion: 'a', label })));
  expect(rows.map(({ unread }) => unread)).toEqual([['label'], ['label'], []]);
});

test('fields of messages that nothing reads are listed as columns are', async () => {
  const messages = [
    { ...user('q'), name: 'Bob' },
    assistant('a', { trainable: false, weight: 1, mood: null, tool_call_id: 'x' }),
    { role: 'tool', name: 'f', content: '3' },
  ];
  const [row] = await process([{ messages }]);
  expect(row?.unread).toEqual(['messages[].name', 'messages[].trainable']);
  const [printed] = await process(
    [{ messages }],
    CHATML.replace('message.content', '(message.name or message.content)'),
  );
  expect(printed?.unread).toEqual(['messages[].trainable']);
  const [trimmed] = await process([{ messages }], `${CHATML}{%-set trainable = 1-%}{{-messages[0].name-}}`);
  expect(trimmed?.unread).toEqual([]);
});

test('plain text beside rows is no row', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.jsonl'), '{"text":"a"}\n');
  writeFileSync(join(folder, 'README.txt'), 'Hello.\n');
  expect(() => listDataFiles(folder)).toThrow(expect.objectContaining({ code: 'folder_of_kinds' }));
  expect(listDataFiles(folder, { only: ['a.jsonl'] })).toEqual([join(folder, 'a.jsonl')]);
});

test.each([
  ['1e400', 'larger than any float'],
  ['-2.5E+999', 'larger than any float'],
  ['1e308', undefined],
  [`1${'0'.repeat(400)}`, undefined],
])('the number %s in a row', async (number, fault) => {
  const path = join(temporaryFolder(), 'rows.jsonl');
  writeFileSync(path, `{"text": "a 1e999", "list": [${number}]}\n`);
  const source = await openSource(path);
  const [row] = await source.page(0, 1);
  await source.close();
  if (fault === undefined) expect(row?.fault).toBeUndefined();
  else expect(row?.fault).toContain(fault);
});

test.each<[string, Buffer, string, RegExp]>([
  ['rows.jsonl', gzipSync('{"text":"a"}\n'), 'gzip', /gunzip/],
  ['rows.csv', gzipSync('text\na\n'), 'gzip', /gunzip/],
  ['rows.json', Buffer.from('PK\u0003\u0004rest'), 'zip', /unzip/],
  ['rows.jsonl', Buffer.from('PAR1....'), 'Parquet', /\.parquet/],
  ['rows.jsonl', Buffer.from('\ufeff{"text":"a"}\n', 'utf16le'), 'UTF-16', /iconv/],
  ['rows.jsonl', Buffer.from('{"text":"a"}\n', 'utf16le'), 'UTF-16', /iconv/],
  ['rows.csv', Buffer.from('{"text":"a"}\n', 'utf16le').swap16(), 'UTF-16', /iconv/],
])('%s that holds something else says what, and what to do', async (name, bytes, what, next) => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  await expect(openSource(path)).rejects.toMatchObject({
    code: 'data_not_text',
    what: expect.stringContaining(what),
    next: expect.stringMatching(next),
  });
});

test.each([
  ['rows.jsonl.gz', /gunzip/],
  ['rows.json.zst', /unzstd/],
  ['rows.csv.BZ2', /bunzip2/],
])('%s is to be unpacked, also in a folder beside other rows', async (name, next) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, name), 'packed');
  const refusal = expect.objectContaining({ next: expect.stringMatching(next) });
  await expect(openSource(join(folder, name))).rejects.toEqual(refusal);
  writeFileSync(join(folder, 'more.jsonl'), '{"text": "a"}\n');
  expect(() => listDataFiles(folder)).toThrow(refusal);
  expect(listDataFiles(folder, { only: ['more.jsonl'] })).toHaveLength(1);
});

test.each([
  ['rows.json', { data: [{ text: 'a' }] }],
  ['rows.jsonl', { text: 'a' }],
  ['rows.jsonl', [{ text: 'a' }]],
])('%s over several lines says how to write it on one: %j', async (name, value) => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, JSON.stringify(value, null, 2));
  await expect(openSource(path)).rejects.toMatchObject({ next: expect.stringContaining('jq -c') });
  writeFileSync(path, '{"text": "a"}\n{"text": "cut o');
  await expect(openSource(path)).rejects.toMatchObject({ next: expect.stringContaining('repair') });
});

test('NaN in a table is a missing value, infinity a fault of its row', async () => {
  const path = join(temporaryFolder(), 'rows.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (SELECT 'NaN, [Infinity' AS text, 'nan'::DOUBLE AS score, [1.0, 'nan'::DOUBLE] AS list
    UNION ALL SELECT 'b', '-inf'::DOUBLE, []) TO '${path}' (format parquet)`);
  connection.closeSync();
  instance.closeSync();
  const source = await openSource(path);
  const [row, infinite] = await source.page(0, 2);
  await source.close();
  expect(row?.value).toMatchObject({ text: 'NaN, [Infinity', score: null });
  expect(row?.fault).toBeUndefined();
  expect(infinite?.fault).toContain('larger than any float');
});

test('named templates may stand in an object', () => {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'chat_template.json'), JSON.stringify({ chat_template: { default: 'D', tool_use: 'T' } }));
  expect(readChatTemplates(folder)).toEqual({ default: 'D', named: { tool_use: 'T' } });
});
