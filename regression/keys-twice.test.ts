/** Of a key that stands twice in an object the last value was taken, and half a character was replaced, without a word. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { detectFormat, openFormat, openReaderOf } from '../packages/core/src/datasets/formats/index.ts';
import { processRows } from '../packages/core/src/datasets/processRows.ts';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { parseJson, parseRow } from '../packages/core/src/datasets/rowJson.ts';
import type { Tokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test.each([
  ['{"a": 1, "a": 2}', /"a" stands twice/],
  ['{"m": [{"b": {"c": 1 , "d": 2,"c"\n: [] }}]}', /"c" stands twice/],
  ['{"ab": 1, "\\u0061b": 2}', /"ab" stands twice/],
  ['{"__proto__": 1, "__proto__": 2}', /__proto__/],
  ['{"a": "\\ud83d"}', /half a character/],
  ['{"a": "x\\uDE00\\ud83d\\ude00"}', /half a character/],
  ['{"\\ud83d": 1}', /half a character/],
  ['{"a": "\\ud83d\\n\\ude00"}', /half a character/],
])('%s has a fault', (json, fault) => {
  expect(parseJson(json).fault).toMatch(fault);
});

test.each([
  '{"a": {"a": [{"a": 1}, {"a": 2}]}, "b": {"a": "a"}}',
  '{"a": "\\"a\\": 1, \\\\", "b": "\\\\\\"a\\\\"}',
  '{"a": "\\ud83d\\ude00 \\\\ud83d", "b": "😀"}',
  '["a", "a", {"": ":"}]',
])('%s has none', (json) => {
  expect(parseJson(json)).toEqual({ value: JSON.parse(json), fault: null, disordered: false });
});

test('such a row is dropped and listed, the others are read', async () => {
  const path = join(temporaryFolder(), 'rows.jsonl');
  writeFileSync(path, '{"text": "a", "text": "b"}\n{"text": "\\ud83d"}\n');
  const source = await openSource(path);
  const rows = await source.page(0, 2);
  await source.close();
  const reader = openFormat('completion', [], {}, path);
  const mask = { rolesToTrain: [], trainOnEos: 'none' as const };
  const tokenizer = { encodeBatch: async () => [], encodeBatchWithSpecial: async () => [] } as unknown as Tokenizer;
  const judge = { sequenceLen: 10, excessLength: 'drop' as const };
  const processed = await processRows({ reader, renderer: null, tokenizer, mask, ...judge }, rows);
  expect(processed.map(({ verdict }) => verdict)).toEqual([
    { kind: 'dropped', reason: 'malformed_row', detail: expect.stringContaining('stands twice') },
    { kind: 'dropped', reason: 'malformed_row', detail: expect.stringContaining('half a character') },
  ]);
});

test('within a text as well', () => {
  const said = { from: 'human', value: 'a' };
  const call = { from: 'function_call', value: '{"name": "f", "arguments": {"x": 1, "x": 2}}' };
  const row = { conversations: [said, call] };
  expect(detectFormat([row])?.read(row)).toMatchObject({ kind: 'dropped', reason: 'malformed_row' });
});

describe('what tells a format', () => {
  const file = 'rows.jsonl';
  const opened = (...rows: string[]) =>
    openReaderOf(
      rows.map((row, i) => parseRow(row, { file, row: i + 1 })),
      null,
      'auto',
      {},
      file,
    );
  const faulty = '{"messages": [{"role": "user", "content": "a"}], "messages": 3}';

  test('is not a row with a fault', () => {
    const sound = '{"instruction": "a", "output": "b"}';
    expect(opened(faulty, faulty, sound).format).toBe('alpaca');
  });

  test('is the fault, where no row is without one', () => {
    const where = 'rows.jsonl:1';
    const only = {
      code: 'malformed_row',
      where,
      what: expect.stringMatching(/the only row .*"messages" stands twice/),
    };
    expect(() => opened(faulty)).toThrow(expect.objectContaining(only));
    expect(() => opened(faulty, faulty)).toThrow(/none of the first 2 rows .*"messages" stands twice/);
  });
});
