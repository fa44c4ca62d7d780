/** `anneal validate` read the rows of every recipe as supervised ones: prompts with answers that are no text were in no known format. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRows } from '@anneal/core/datasets/checkRows';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

function dataset(row: object) {
  const path = join(temporaryFolder(), 'rows.jsonl');
  writeFileSync(path, JSON.stringify(row));
  return {
    files: [path],
    type: 'auto',
    fields: {},
    mask: { rolesToTrain: ['assistant'], trainOnEos: 'turn' },
    weight: 1,
  } as const;
}

test('rows are read by what the recipe does with them', async () => {
  await checkRows(dataset({ prompt: 'What is 1 + 1?', answer: 2 }), 'sampled');
  await checkRows(dataset({ prompt: 'a', completion: 'b', label: true }), 'judged');
  await expect(checkRows(dataset({ prompt: 'a', chosen: 'b' }), 'pairs')).rejects.toThrow(
    'no column says which answers',
  );
});
