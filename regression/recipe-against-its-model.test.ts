/** `anneal validate` called a recipe valid whose adapter its model cannot have: that was said by a run, which had a folder by then. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { validateRecipe } from '../apps/agent/src/service/recipes/validate.ts';
import { goldenPath, temporaryFolder, writeCapitalsTask } from '../packages/core/test/fixtures.ts';

test.each([
  ['peft_bias: all', 'peft_bias: all trains nothing: no layer of this model has a bias'],
  ['lora_target_modules: [q_proj, w_proj]', 'lora_target_modules names w_proj, which is no linear layer'],
  ['lora_modules_to_save: [q_proj]', 'lora_modules_to_save names q_proj'],
  ['lora_target_parameters: [gate_up_proj]', 'lora_target_parameters names gate_up_proj'],
  ['peft_trainable_token_indices: [100000]', 'peft_trainable_token_indices names token 100000'],
  ['embedding_lr: 1e-5', 'embedding_lr is the learning rate of embedding and output layer'],
  ['router_aux_loss_coef: 0.1', 'router_aux_loss_coef is about routers of experts'],
])('%s is refused at its line where the model has no such thing', async (line, what) => {
  const folder = temporaryFolder('against-its-model');
  writeCapitalsTask(folder);
  const recipe = join(folder, 'recipe.yaml');
  const rest = `datasets: [{path: rows.jsonl}]\noutput_dir: ${join(folder, 'runs')}\n`;
  writeFileSync(recipe, `base_model: ${goldenPath('llama3')}\n${line}\n${rest}`);
  const problem = { path: [line.split(':')[0]], line: 2, what: expect.stringContaining(what) };
  await expect(validateRecipe({}, { recipe })).rejects.toMatchObject({ problems: [problem] });
  expect(existsSync(join(folder, 'runs'))).toBe(false);
});
