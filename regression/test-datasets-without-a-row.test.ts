/** A run whose test_datasets lost every row trained to its end without a validation loss, and said nothing of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder, writeCapitalsTask } from '../packages/core/test/fixtures.ts';
import { tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

test('validation rows that are all trained on are refused', async () => {
  const folder = temporaryFolder();
  const path = writeCapitalsTask(folder, 24, 'test.jsonl');
  const recipe = tinyRecipe(folder, { test_datasets: [{ path }], dataset_exact_deduplication: true });
  await expect(trainHere(recipe)).rejects.toMatchObject({
    code: 'no_validation_rows',
    where: path,
    next: expect.stringContaining('dataset_exact_deduplication'),
  });
});

test('validation rows without an answer are refused', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'test.jsonl');
  writeFileSync(path, '{"messages": [{"role": "user", "content": "x"}]}\n');
  await expect(trainHere(tinyRecipe(folder, { test_datasets: [{ path }] }))).rejects.toMatchObject({
    code: 'no_validation_rows',
    next: expect.stringContaining('correct its rows'),
  });
});
