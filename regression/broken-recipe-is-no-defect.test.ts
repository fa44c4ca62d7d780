/**
 * What was wrong: the agent took an error for expected by its class's name, `UserError`. InvalidRecipe is one, too, under another name:
 * each recipe with a mistake that somebody asked about was logged as a defect of the agent, with a stack.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { client, makePlace, paired, said, start } from '../apps/agent/test/helpers/daemon.ts';

const told = (error: object) => ({ data: { error } });

it('is told with what, where and next to questions, changes and subscriptions, and is no defect', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const { api } = client(daemon, await paired(daemon));
  const text = 'schema_version: 1\nbase_model: x\nlora_rr: 16\ndatasets: []\n';
  writeFileSync(join(place.workspace, 'project', 'recipe.yaml'), text);
  const recipe = 'project/recipe.yaml';
  const [next, where] = [expect.any(String), expect.any(String)];
  const problems = expect.arrayContaining([expect.objectContaining({ code: 'unknown_key', next, where })]);
  const broken = told({ code: 'invalid_recipe', what: expect.stringContaining('lora_rr'), next, problems });
  await expect(api.recipes.validate.query({ recipe, set: [] })).rejects.toMatchObject(broken);
  await expect(api.recipes.start.mutate({ recipe, set: [] })).rejects.toMatchObject(broken);
  const estimated = new Promise<unknown>((resolve) =>
    api.recipes.estimate.subscribe({ recipe, set: [] }, { onError: resolve, onData: resolve }),
  );
  expect(await estimated).toMatchObject(broken);
  const gone = api.recipes.validate.query({ recipe: 'none.yaml', set: [] });
  await expect(gone).rejects.toMatchObject(told({ code: 'recipe_not_found', next, where }));
  expect(said.filter((line) => line.startsWith('defect'))).toEqual([]);
});
