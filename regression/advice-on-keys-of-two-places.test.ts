/**
 * TRL has all arguments in one table; here some stand below `trl`. Advice on a key looked only at what stands beside it: with
 * `max_completion_length: 512` below `trl`, `max_prompt_length: 512` at the top was answered with `sequence_len: 768`.
 */
import { checkRecipe } from '@anneal/core/recipe/read';
import { expect, it } from 'vitest';

function advice(top: string, below: string): string {
  const recipe = `base_model: smollm2-135m\ndatasets: [{path: data.jsonl}]\nrl: grpo\n${top}\ntrl:\n  reward_funcs: [{type: length, target: 3}]\n  ${below}\n`;
  const checked = checkRecipe(recipe, 'recipe.yaml');
  if (checked.ok) throw new Error('a problem was expected');
  return checked.problems.map(({ code, next }) => `${code}: ${next}`).join('\n');
}

it.each([
  ['max_prompt_length: 512', 'max_completion_length: 512', 'write `sequence_len: 1024` at the top'],
  ['gradient_accumulation_steps: 8', 'steps_per_generation: 8', 'foreign_key: remove it: nothing changes'],
  ['gradient_accumulation_steps: 8', 'steps_per_generation: 4', 'not_supported: '],
  ['ref_model_sync_steps: 64', 'sync_ref_model: false', 'sync_ref_model is off'],
  ['max_completion_length: 100', 'max_prompt_length: 512', 'write `sequence_len: 612` at the top'],
])('%s at the top and %s below trl', (top, below, expected) => {
  expect(advice(top, below)).toContain(expected);
});
