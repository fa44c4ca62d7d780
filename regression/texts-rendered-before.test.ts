/**
 * Prompts that were rendered before, as tutorials for other trainers do, were rendered once more: turns stood within the user's turn. Answers
 * to which their end token had been added got a second one. Nothing said so. Messages that were written as JSON twice, the only
 * column of a file, were trained as plain text.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detectFormat } from '../packages/core/src/datasets/formats/index.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const talk = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];

test('are counted, and what is plain is not', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'said.jsonl');
  const rendered = '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n';
  const rows = [
    { messages: talk },
    { messages: [{ role: 'user', content: rendered }, talk[1]] },
    { messages: [talk[0], { role: 'assistant', content: 'Hello<|im_end|>' }] },
    { messages: [{ role: 'user', content: 'What is <im_start>?' }, talk[1]] },
  ];
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  const run = await trainHere(tinyRecipe(folder, { datasets: [{ path }], max_steps: 1 }));
  const warnings = eventsOf(run, 'warning').filter(({ code }) => code === 'content_left_out');
  expect(warnings).toMatchObject([
    {
      message: expect.stringMatching(/^messages hold control tokens of the chat template in 2 rows/),
      where: `${path}:2`,
    },
  ]);
  expect(eventsOf(run, 'data_prepared')).toMatchObject([{ rows: 4, dropped: 0 }]);
});

const twice = (value: unknown): string => JSON.stringify(JSON.stringify(value));

test('messages and tools in JSON within JSON', () => {
  const tool = { type: 'function', function: { name: 'f', description: 'd', parameters: {} } };
  for (const row of [{ messages: twice(talk) }, { messages: twice(talk), tools: twice([tool]) }]) {
    expect(detectFormat([row])?.read(row)).toMatchObject({ messages: talk, tools: row.tools ? [tool] : null });
  }
  const pairs = {
    conversations: twice([
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Hello' },
    ]),
  };
  expect(detectFormat([pairs])?.read(pairs)).toMatchObject({ messages: talk });
  // A quotation is a text.
  const quoted = { text: '"[Hello," she said.' };
  expect(detectFormat([quoted])?.read(quoted)).toEqual({ kind: 'text', text: quoted.text });
});
