/**
 * What a judge's rows showed: the role `developer` was known to the reader and taken from it by the recipe's own list of roles; a table
 * of pandas with Python's lists was trained as plain text; tools written as the JSON text `null` dropped their row, labels as 1.0 theirs;
 * and a pair whose answers are single messages was no known format.
 * Answers that LLaMA-Factory's `kto_tag` calls bad were trained, and thoughts that are no text vanished without a word.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detectFormat, openFormat, openReader } from '../packages/core/src/datasets/formats/index.ts';
import { parseRow } from '../packages/core/src/datasets/rowJson.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const talk = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];

test('a developer is a system message in a recipe as well', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'rows.jsonl');
  const row = { messages: [{ role: 'developer', content: 'Be kind.' }, ...talk] };
  writeFileSync(path, `${JSON.stringify(row)}\n`);
  const run = await trainHere(tinyRecipe(folder, { datasets: [{ path }], max_steps: 1 }));
  expect(eventsOf(run, 'data_prepared')).toMatchObject([{ dropped: 0 }]);
});

const PYTHON = "[{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': \"Yo\"}]";

test("a column of Python's lists is refused", () => {
  for (const row of [{ messages: PYTHON }, { text: PYTHON }, { id: 1, conversations: PYTHON }]) {
    expect(() => openFormat('auto', [row], {}, 'rows.csv')).toThrow(
      expect.objectContaining({ what: expect.stringContaining('as Python prints them') }),
    );
  }
  const reader = openFormat('chat_template', [{ messages: PYTHON }], {}, 'rows.csv');
  expect(reader.read({ messages: PYTHON })).toMatchObject({
    kind: 'dropped',
    detail: expect.stringContaining('Python'),
  });
  // Whoever asks for the text gets it.
  expect(openFormat('completion', [{ text: PYTHON }], { fieldText: 'text' }, 'a').read({ text: PYTHON })).toEqual({
    kind: 'text',
    text: PYTHON,
  });
});

test.each(['null', ' null\n', '', '[]', null])('tools written as %j are none', (tools) => {
  const row = { messages: talk, tools };
  expect(detectFormat([row])?.read(row)).toMatchObject({ kind: 'chat', tools: null });
});

test.each([
  ['true', 'chosen'],
  ['1.0', 'chosen'],
  ['"1"', 'chosen'],
  ['0.0', 'rejected'],
  ['"0"', 'rejected'],
  ['"FALSE"', 'rejected'],
])('the label %s', (label, side) => {
  const { value } = parseRow(`{"prompt": "a", "completion": "b", "label": ${label}}`, { file: 'a', row: 1 });
  expect(openReader('judged', 'auto', [value], {}, 'a').read(value)).toMatchObject([{ side }]);
});

const answer = (content: string) => ({ role: 'assistant', content });

test('answers that are one message each', () => {
  const row = { prompt: 'Hi', chosen: answer('good'), rejected: answer('bad') };
  expect(openReader('pairs', 'auto', [row], {}, 'a').read(row)).toMatchObject([
    { side: 'chosen', content: { messages: [{ content: 'Hi' }, { content: 'good' }], train: [false, null] } },
    { side: 'rejected', content: { messages: [{ content: 'Hi' }, { content: 'bad' }] } },
  ]);
});

test.each<Record<string, unknown>>([
  { messages: talk, kto_tag: false },
  { instruction: 'Hi', output: 'Go away', kto_tag: 'False' },
])('an answer that is tagged as a bad one: %j', (row) => {
  expect(detectFormat([row])?.read(row)).toMatchObject({ reason: 'bad_answer' });
  expect(detectFormat([row])?.unread({ ...row, kto_tag: true })).toEqual([]);
});

const said = (role: string, type: string, text: string) => ({ role, content: [{ type, text }] });

test("roles in any case, and the texts of OpenAI's Responses API", () => {
  const row = { messages: [said('User', 'input_text', 'Hi'), said('ASSISTANT', 'output_text', 'Hello')] };
  expect(detectFormat([row])?.read(row)).toMatchObject({ messages: talk });
});

test('thoughts that are no text', () => {
  const row = { messages: [talk[0], { ...talk[1], reasoning: [{ text: 'Hm.' }] }] };
  expect(detectFormat([row])?.read(row)).toMatchObject({ detail: expect.stringContaining("'reasoning'") });
});
