/** Of a run that had ended before its first checkpoint it was said to wait for one, or to stop the run. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { temporaryFolder, writeCapitalsTask, writeTinyModel } from '../packages/core/test/fixtures.ts';

test('a run that ended without a checkpoint is to be continued', async () => {
  const folder = temporaryFolder();
  writeTinyModel(folder);
  writeCapitalsTask(folder);
  const recipe = 'base_model: ./tiny-smollm2\ndatasets:\n  - path: rows.jsonl\nsequence_len: 8\nmax_steps: 1\n';
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  const anneal = annealIn(folder);
  await anneal('train', 'recipe.yaml');
  const [id = ''] = readdirSync(join(folder, 'runs'));
  for (const args of [
    ['export', id, '--lora'],
    ['chat', id, '--prompt', 'x'],
  ]) {
    const { stderr } = await anneal(...args);
    expect(stderr).toContain('this run has no checkpoint, and is not running: it is failed');
    expect(stderr).toContain(`npx anneal runs resume ${id}`);
  }
});
