/**
 * The engine computes in float32: `adam_beta2: 0.99999999` became 1, and the first step divided by 0; `learning_rate: 1e-50` learned nothing.
 * Later, ten keys were looked at, and not `embedding_lr`, what preferences and sampled answers are weighed with, nor the temperature of these.
 */
import { expect, test } from 'vitest';
import { checkRecipe, parseRecipe } from '../packages/core/src/recipe/read.ts';

const base = 'base_model: smollm2-135m\ndatasets:\n  - {path: rows.jsonl}\n';

test.each([
  'adam_beta1: 0.99999999',
  'adam_beta2: 0.99999999',
  'lora_dropout: 0.99999999',
  'adam_epsilon: 1e-50',
  'learning_rate: 1e-50',
  'weight_decay: 1e-50',
  'max_grad_norm: 1e-50',
  'lora_alpha: 1e-50',
  'embedding_lr: 1e-50',
  'ema_decay: 0.99999999',
  'neftune_noise_alpha: 1e-50',
  'router_aux_loss_coef: 1e-50',
  'lr_scheduler_kwargs: {min_lr: 1e-50}',
  'rl_beta: 1e-50',
  'rpo_alpha: 1e-50',
  'orpo_alpha: 1e-50',
  'kto_desirable_weight: 1e-50',
  'center_rewards_coefficient: 1e-50',
  'trl: {reward_funcs: [{type: length, target: 9}], beta: 1e-50}',
  'trl: {reward_funcs: [{type: length, target: 9}], temperature: 1e-39}',
])('%s is refused with its place', (line) => {
  const checked = checkRecipe(`${base}${line}\n`, 'recipe.yaml', []);
  if (checked.ok) throw new Error('it was taken');
  expect(checked.problems).toContainEqual(expect.objectContaining({ code: 'out_of_range', line: 4 }));
});

test.each([
  'adam_beta2: 0.9999999',
  'weight_decay: 0',
  'lora_dropout: 0',
  'max_grad_norm: 0',
  'learning_rate: 1e-40',
  'ema_decay: 0.9999',
])('%s is meant as it is written', (line) =>
  expect(() => parseRecipe(`${base}${line}\n`, 'recipe.yaml')).not.toThrow(),
);
