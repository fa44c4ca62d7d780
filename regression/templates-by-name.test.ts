/** A base model without a chat template could be tuned on conversations only with a Jinja file written by hand. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModelText } from '../packages/core/src/generate/modelText.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { resolveRecipe } from '../packages/core/src/recipe/resolve.ts';
import { textOptions } from '../packages/core/src/trainer/dataOptions.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { lossesOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

test('a run names its chat template', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { chat_template: 'chatml', max_steps: 2 });
  rmSync(join(recipe.base_model, 'chat_template.jinja'), { force: true });
  const resolved = resolveRecipe(recipe, { baseDirectory: '/somewhere/else' });
  expect(resolved.chat_template).toBe('chatml');
  const model = openModel(recipe.base_model);
  const { renderer } = openModelText(model, textOptions(resolved));
  model.close();
  expect(renderer?.template.render([{ role: 'user', content: 'Hi' }])).toBe('<|im_start|>user\nHi<|im_end|>\n');
  expect(lossesOf(await trainHere(recipe))).toHaveLength(2);
  expect(() => resolveRecipe({ ...recipe, chat_template: 'chatmll' }, { baseDirectory: '/' })).toThrow(
    /does not exist/,
  );
});
