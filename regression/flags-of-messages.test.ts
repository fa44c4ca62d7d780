/** OpenAI's `weight: 0`, flags written as text or numbers, and those of a whole row did not count: wrong answers were trained. */
import { expect, test } from 'vitest';
import { detectFormat, type FieldOptions } from '../packages/core/src/datasets/formats/index.ts';
import { parseJson } from '../packages/core/src/datasets/rowJson.ts';

function read(fields: string, options: FieldOptions = {}) {
  const answer = `{"role": "assistant", "content": "b"${fields}}`;
  const text = `{"messages": [{"role": "user", "content": "a"}, ${answer}]}`;
  const row = parseJson(text).value as Record<string, unknown>;
  return detectFormat([row], options)?.read(row);
}

const off = ['false', '0', '0.0', '"false"', '"False"', '"FALSE"', '"0"', '"0.0"'];
const on = ['true', '1', '1.0', '"true"', '"True"', '"TRUE"', '"1"', '"1.0"'];

test.each(['train', 'weight', 'loss'])('%s', (name) => {
  for (const value of off) expect(read(`, "${name}": ${value}`)).toMatchObject({ train: [null, false] });
  for (const value of on) expect(read(`, "${name}": ${value}`)).toMatchObject({ train: [null, true] });
  expect(read(`, "${name}": null`)).toMatchObject({ train: [null, null] });
  for (const value of ['0.5', '2', '-1', '"yes"', '""', '[]', '{}']) {
    expect(read(`, "${name}": ${value}`)).toMatchObject({ kind: 'dropped', reason: 'malformed_row' });
  }
});

test('the template does not see a flag, and the row may not contradict itself', () => {
  expect(read(', "weight": 1, "train": true')).toMatchObject({
    messages: [{ role: 'user' }, { role: 'assistant', content: 'b' }],
    train: [null, true],
  });
  expect(read(', "weight": 0, "train": true')).toMatchObject({ reason: 'malformed_row' });
});

test('another field that the recipe names is the only flag', () => {
  const options = { fieldTraining: 'learn' };
  expect(read(', "learn": "False", "weight": 0.5', options)).toMatchObject({ train: [null, false] });
});

const TEXTS = [{ text: 'a' }, { instruction: 'a', output: 'b' }, { messages: [{ role: 'assistant', content: 'b' }] }];

test.each(TEXTS)('a flag beside %j holds for the row', (texts) => {
  for (const name of ['train', 'weight', 'loss']) {
    const rows = [0, 'true', null, 1].map((flag) => ({ ...texts, [name]: flag }));
    const reader = detectFormat(rows);
    expect(rows.map((row) => reader?.read(row).kind === 'dropped')).toEqual([true, false, false, false]);
    expect(reader?.read(rows[0] ?? {})).toMatchObject({ reason: 'nothing_supervised' });
    expect(reader?.read({ ...texts, [name]: 0.5 })).toMatchObject({ reason: 'malformed_row' });
    expect(rows.flatMap((row) => reader?.unread(row))).toEqual([]);
  }
});

test('in any case', () => {
  const rows = [{ instruction: 'a', output: 'b', Train: 'False' }];
  expect(detectFormat(rows)?.read(rows[0] ?? {})).toMatchObject({ reason: 'nothing_supervised' });
});

test('a column of that name with other values is none, and is listed as unread', () => {
  const rows = [0, 1, 2.5].map((weight) => ({ text: 'a', weight }));
  const reader = detectFormat(rows);
  expect(rows.map((row) => reader?.read(row).kind)).toEqual(['text', 'text', 'text']);
  expect(reader?.unread(rows[0] ?? {})).toEqual(['weight']);
});

test('one odd value among the first rows does not switch a flag off', () => {
  const options = { fieldTraining: 'learn' };
  const named = [true, false, 'maybe'].map((learn) => ({ text: 'a', learn }));
  const reader = detectFormat(named, options);
  expect(named.map((row) => reader?.read(row))).toMatchObject([
    { kind: 'text' },
    { reason: 'nothing_supervised' },
    { reason: 'malformed_row' },
  ]);
  const usual = ['true', 'true', 'n/a', 'false'].map((train) => ({ text: 'a', train }));
  const other = detectFormat(usual);
  expect(usual.map((row) => other?.read(row).kind)).toEqual(['text', 'text', 'dropped', 'dropped']);
});
