/** Of preference pairs only the chosen answer is trained, which nothing said. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RowReader } from '../packages/core/src/datasets/formats/index.ts';
import { detectFormat, leavesRejectedUnread } from '../packages/core/src/datasets/formats/index.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const said = (content: string) => ({ role: 'assistant', content });
const asked = { role: 'user', content: 'a' };

test.each([
  ['a chosen answer beside messages', { messages: [asked], chosen: said('b'), rejected: said('c') }, true],
  ['whole conversations', { chosen: [asked, said('b')], rejected: [asked, said('c')] }, true],
  ['ordinary chats', { messages: [asked, said('b')] }, false],
  ['columns that a table left empty', { messages: [asked, said('b')], chosen: null, rejected: null }, false],
])('%s', (_, row, expected) => {
  expect(leavesRejectedUnread(detectFormat([row]) as RowReader, [row])).toBe(expected);
});

test('a recipe that names the rejected answers reads them', () => {
  const row = { chosen: [asked, said('b')], rejected: [asked, said('c')] };
  const reader = detectFormat([row], { fieldMessages: 'rejected' }) as RowReader;
  expect(leavesRejectedUnread(reader, [row])).toBe(false);
});

test('training warns once for each file', async () => {
  const folder = temporaryFolder();
  const write = (name: string, rows: readonly object[]): string => {
    const path = join(folder, name);
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
    return path;
  };
  const pairs = write('pairs.jsonl', [
    { messages: [asked], chosen: said('b'), rejected: said('c') },
    { messages: [asked], chosen: said('d'), rejected: said('e') },
  ]);
  const chats = write('chats.jsonl', [{ messages: [asked, said('f')] }, { messages: [asked, said('g')] }]);
  const datasets = [{ path: pairs }, { path: chats }];
  const run = await trainHere(tinyRecipe(folder, { datasets, max_steps: 2 }));
  expect(eventsOf(run, 'warning')).toMatchObject([{ code: 'rejected_unread', where: pairs }]);
});
