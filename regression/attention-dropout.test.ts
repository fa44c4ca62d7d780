/** `attention_dropout` and `residual_dropout` in config.json were read nowhere: models that ask for them were trained without, in silence. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { modelWarnings } from '../packages/core/src/trainer/modelWarnings.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

function modelWithDropout(folder: string, probability: unknown, key = 'attention_dropout'): string {
  const model = writeTinyModel(folder);
  const path = join(model, 'config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), [key]: probability }));
  return model;
}

test('train, validate and estimate warn of it', async () => {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, { base_model: modelWithDropout(folder, 0.1), max_steps: 1 });
  const warning = { code: 'attention_dropout_not_applied', where: join(recipe.base_model, 'config.json') };
  expect(eventsOf(await trainHere(recipe), 'warning')).toMatchObject([warning]);

  writeFileSync(join(folder, 'recipe.yaml'), JSON.stringify({ schema_version: 1, ...recipe }));
  const anneal = annealIn(folder);
  expect(JSON.parse((await anneal('validate', 'recipe.yaml', '--json')).stdout).warnings).toMatchObject([warning]);
  expect((await anneal('validate', 'recipe.yaml')).stderr).toMatch(/warning: .*attention_dropout 0\.1 .*not applied/);
  expect(JSON.parse((await anneal('estimate', 'recipe.yaml', '--json')).stdout).warnings).toMatchObject([warning]);
});

test('what is dropped of what layers add is another warning', () => {
  const model = openModel(modelWithDropout(temporaryFolder(), 0.1, 'residual_dropout'));
  expect(modelWarnings(model)).toMatchObject([
    { code: 'residual_dropout_not_applied', message: expect.stringContaining('residual_dropout 0.1') },
  ]);
  model.close();
});

test.each([0, null])('%s says nothing', async (probability) => {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, { base_model: modelWithDropout(folder, probability), max_steps: 1 });
  expect(eventsOf(await trainHere(recipe), 'warning')).toEqual([]);
});

test.each([-0.1, 1, '0.1'])('%o is no probability', (probability) => {
  const model = modelWithDropout(temporaryFolder(), probability);
  expect(() => openModel(model)).toThrow(/attention_dropout must be a number from 0 to below 1/);
});
