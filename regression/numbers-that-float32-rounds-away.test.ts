/** The engine computes in float32: `adam_beta2: 0.99999999` became 1, and the first step divided by 0; `learning_rate: 1e-50` learned nothing. */
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
])('%s is refused with its place', (line) => {
  const checked = checkRecipe(`${base}${line}\n`, 'recipe.yaml', []);
  expect(checked).toMatchObject({ ok: false, problems: [{ code: 'out_of_range', line: 4 }] });
});

test.each(['adam_beta2: 0.9999999', 'weight_decay: 0', 'lora_dropout: 0', 'max_grad_norm: 0', 'learning_rate: 1e-40'])(
  '%s is meant as it is written',
  (line) => expect(() => parseRecipe(`${base}${line}\n`, 'recipe.yaml')).not.toThrow(),
);
