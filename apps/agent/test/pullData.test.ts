import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listRuns } from '@anneal/core/trainer/runReader';
import { expect, onTestFinished, test } from 'vitest';
import { COMMIT, startHub } from '../../../packages/core/src/hub/testing/hubStandIn.ts';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';

test('a data set of the hub: asked for before a run, pulled, inspected, trained, and pinned in the run', async () => {
  const folder = temporaryFolder();
  writeTinyModel(folder);
  writeCapitalsTask(folder);
  const hub = await startHub('someone/capitals', { 'train.jsonl': readFileSync(join(folder, 'rows.jsonl')) });
  onTestFinished(() => hub.close());
  const cache = join(folder, 'cache');
  const anneal = annealIn(folder, { ANNEAL_CACHE: cache, HF_ENDPOINT: hub.url, HF_TOKEN: '' });
  const recipe = `base_model: ./tiny-smollm2
datasets:
  - {path: someone/capitals, split: train}
sequence_len: 64
max_steps: 1
bf16: false
`;
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  const command = 'anneal pull --data someone/capitals --split train';
  for (const verb of ['inspect', 'estimate', 'train']) {
    const { code, stderr } = await anneal(verb, 'recipe.yaml');
    expect({ verb, code }).toEqual({ verb, code: exitCodes.badInput });
    expect(stderr).toContain(command);
  }
  expect(existsSync(join(folder, 'runs'))).toBe(false);
  expect((await anneal('validate', 'recipe.yaml', '--json')).stdout).toContain(command);

  const pulled = await anneal('pull', '--data', 'someone/capitals', '--split', 'train');
  expect(pulled).toMatchObject({ code: exitCodes.done, stdout: expect.stringContaining(join('datasets', 'someone')) });
  expect((await anneal('inspect', 'recipe.yaml', '--row', '1')).stdout).toContain('kept');
  expect((await anneal('train', 'recipe.yaml')).code).toBe(exitCodes.done);
  const [run = ''] = await listRuns(join(folder, 'runs'));
  expect(readFileSync(join(run, 'recipe.resolved.yaml'), 'utf8')).toContain(`revision: ${COMMIT}`);

  expect(await anneal('pull', 'someone/capitals', '--split', 'train')).toMatchObject({
    code: exitCodes.badInput,
    stderr: expect.stringContaining('--split is for data sets'),
  });
});
