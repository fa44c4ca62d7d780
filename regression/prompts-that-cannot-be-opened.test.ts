/** A file of prompts whose rows could not be read stayed open, its process with it, and closing all of them threw the same error again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TokenStore } from '../packages/core/src/datasets/tokenStore.ts';
import { PromptRows } from '../packages/core/src/trainer/promptRows.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const processes = () => process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length;

function rowsOf(text: string) {
  const file = join(temporaryFolder(), 'prompts.csv');
  writeFileSync(file, text);
  const mask = { rolesToTrain: ['assistant'], trainOnEos: 'turn' } as const;
  const rows = new PromptRows({ datasets: [{ files: [file], type: 'auto', fields: {}, mask, weight: 1 }] });
  return { rows, store: { source: () => ({ file, row: 1 }) } as unknown as TokenStore };
}

test('a file whose rows have no known format is closed', async () => {
  const before = processes();
  const { rows, store } = rowsOf('width,height\n1,2\n');
  await expect(rows.rowOf(store, 0)).rejects.toMatchObject({ name: 'UserError' });
  await rows[Symbol.asyncDispose]();
  await expect.poll(processes).toBe(before);
});

test('a file that was emptied meanwhile says so', async () => {
  const { rows, store } = rowsOf('prompt\nWhat?\n');
  const beyond = { source: (document: number) => ({ ...store.source(document), row: 2 }) } as TokenStore;
  await expect(rows.rowOf(beyond, 0)).rejects.toMatchObject({ code: 'file_changed' });
  await rows[Symbol.asyncDispose]();
});
