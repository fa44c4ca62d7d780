/** Columns that nothing read were passed over in silence; a system prompt, a context and names in capitals were among them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { detectFormat, openFormat } from '../packages/core/src/datasets/formats/index.ts';
import { adviceOnUnread } from '../packages/core/src/datasets/unreadColumns.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const said = (row: Record<string, unknown>, reader = detectFormat([row])): unknown => {
  const content = reader?.read(row);
  return content?.kind === 'chat' ? content.messages.map((message) => message.content) : content;
};

test.each([
  [{ id: 1, system_prompt: 'Be an ant.', question: 'Who?', response: 'An ant.' }, ['Be an ant.', 'Who?', 'An ant.']],
  [{ instruction: 'Who?', context: 'An anthill.', response: 'Ants.' }, ['Who?\nAn anthill.', 'Ants.']],
  [{ Instruction: 'Add.', Input: '1 2', Output: '3' }, ['Add.\n1 2', '3']],
  [{ INSTRUCTION: 'Add.', OUTPUT: '3', System: 'Terse.' }, ['Terse.', 'Add.', '3']],
  [{ Question: 'Who?', Answer: 'I.' }, ['Who?', 'I.']],
  [{ query: 'Who?', response: 'I.' }, ['Who?', 'I.']],
  [{ input: 'Who?', output: 'I.' }, ['Who?', 'I.']],
  [{ Messages: [{ role: 'user', content: 'Who?' }], system_prompt: 'Terse.' }, ['Terse.', 'Who?']],
])('%j is read', (row, expected) => {
  expect(said(row)).toEqual(expected);
});

test('a format that the recipe names finds its columns in any case', () => {
  const row = { Instruction: 'Add.', Input: '1 2', Output: '3' };
  expect(said(row, openFormat('alpaca', [row], {}, ''))).toEqual(['Add.\n1 2', '3']);
});

test.each([
  [{ instruction: 'a', output: 'b', notes: 'c', empty: '', none: null }, ['notes']],
  [{ instruction: 'a', input: 'c', context: 'd', output: 'b' }, ['context']],
  [{ messages: [{ role: 'user', content: 'a' }], prompt: 'a', label: 0 }, ['prompt', 'label']],
  [{ messages: [{ role: 'user', content: 'a' }], tools: null, label: true }, []],
  [{ text: 'a', meta: { url: 'b' } }, ['meta']],
  [{ messages: [{ role: 'system', content: 'a' }], system: 'another' }, ['system']],
])('of %j is not read: %j', (row, unread) => {
  expect(detectFormat([row])?.unread(row)).toEqual(unread);
});

test('training says which columns of a file it does not read, with the number of their rows', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'notes.jsonl');
  const rows = [
    { instruction: 'a', output: 'b', notes: 'c' },
    { instruction: 'd', output: 'e', notes: 'f', id: 7 },
  ];
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  const run = await trainHere(tinyRecipe(folder, { datasets: [{ path }], max_steps: 1 }));
  expect(eventsOf(run, 'warning')).toMatchObject([
    { code: 'columns_unread', message: expect.stringContaining('notes (2 rows), id (1 row)'), where: path },
  ]);
});

test('a class beside a text is said with what to write, which then trains it', () => {
  const advice = adviceOnUnread({ id: 20, label: 20 });
  expect(advice).toMatch(
    /^if 'label' is the answer to be learned, write it as words .*field_output: label; if one belongs/,
  );
  expect(adviceOnUnread({ id: 20 })).toMatch(/^if one belongs/);
  const row = { text: 'Good.', label: 'positive' };
  const options = { fieldInstruction: 'text', fieldOutput: 'label' };
  expect(said(row, openFormat('alpaca', [row], options, ''))).toEqual(['Good.', 'positive']);
});

test('inspect says which columns of a file nothing reads, and what a class among them needs', async () => {
  const folder = temporaryFolder();
  const model = writeTinyModel(join(folder, 'model'));
  const rows = [1, 2].map((label) => JSON.stringify({ instruction: 'Who?', output: 'I.', label }));
  writeFileSync(join(folder, 'rows.jsonl'), `${rows.join('\n')}\n`);
  const { code, stdout } = await annealIn(folder)('inspect', 'rows.jsonl', '--model', model);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /not read +label \(2 rows\) of .*rows\.jsonl; if 'label' is the answer to be learned, write it as words/,
  );
});
