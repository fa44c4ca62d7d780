/**
 * With lora_model_dir the adapter's own ranks, scales and layers count: lora_r, lora_alpha and lora_target_modules of the
 * recipe changed nothing, and nobody was told. Later who wrote none of them was told of their defaults, and a name that is no layer
 * ended the run.
 */
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { checkpointPath, eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const said = 'adapter_keeps_its_own';

test.each([
  [{}, null],
  [{ lora_r: undefined, lora_alpha: undefined }, null],
  [{ lora_r: undefined }, null],
  [{ lora_alpha: undefined }, null],
  [{ lora_r: undefined, lora_alpha: 3 }, 'lora_alpha of'],
  [{ lora_target_linear: true }, null],
  [{ lora_target_modules: ['no_such_proj'] }, 'lora_target_modules of'],
  [{ lora_target_parameters: ['no_such_proj'] }, 'lora_target_parameters of'],
  [{ lora_r: 8, lora_alpha: 16 }, 'lora_r of'],
  [{ lora_alpha: 16 }, 'lora_alpha of'],
  [{ lora_r: 8, lora_alpha: 8, lora_target_modules: ['q_proj'] }, 'lora_r, lora_alpha, lora_target_modules of'],
])('a recipe with %j is told what the adapter it begins from has of its own', async (changes, keys) => {
  const recipe = tinyRecipe(temporaryFolder(), { max_steps: 1 });
  const first = await trainHere(recipe);
  const second = await trainHere({ ...recipe, lora_model_dir: checkpointPath(first, 1), ...changes });
  const messages = eventsOf(second, 'warning').flatMap(({ code, message }) => (code === said ? [message] : []));
  expect(messages).toEqual(keys === null ? [] : [expect.stringContaining(`layers: ${keys}`)]);
});
