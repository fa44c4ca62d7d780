import { describe, expect, test } from 'vitest';
import { checkRecipe } from './read.ts';

const written = (trl: string, rest = ''): string =>
  `base_model: m\ndatasets: [{path: rows.jsonl}]\nrl: grpo\n${rest}\ntrl:\n  reward_funcs: [{type: length, target: 3}]\n${trl}`;

function problems(text: string): string[] {
  const checked = checkRecipe(text, 'recipe.yaml');
  return checked.ok ? [] : checked.problems.map(({ path, what, next }) => `${path.join('.')}: ${what} → ${next}`);
}

describe('rl: grpo', () => {
  test('with what judges answers is sound', () => {
    expect(problems(written(''))).toEqual([]);
    expect(problems(written('  num_generations: 4', 'adapter: null'))).toEqual([]);
  });

  test.each([
    ['without trl', 'base_model: m\ndatasets: [{path: a.jsonl}]\nrl: grpo', 'rl: `rl: grpo` does not say what judges'],
    ['groups that a step cannot have', written('  num_generations: 3'), '= 8 answers, which are not whole groups of 3'],
    ['groups beside each other', written('  generation_batch_size: 12'), '12 answers are not whole groups of 8'],
    ['answers without room', written('  max_completion_length: 64', 'sequence_len: 64'), 'leave no room for a prompt'],
    ['too few weights', written('  reward_weights: [1, 2]'), '2 weights for 1 reward functions'],
    ['a reference that is gone', written('  beta: 0.1', 'adapter: null'), 'of which nothing is left'],
    ['noise', written('', 'neftune_noise_alpha: 5'), 'another than the one that answered'],
    ['packing', written('', 'sample_packing: true'), 'answers lie beside each other without it'],
    ['prompts that are cut', written('', 'excess_length_strategy: truncate'), 'asks for something else'],
    ['keys of preferences', written('', 'rl_beta: 0.1'), 'rl_beta: `rl: grpo` does not read `rl_beta`'],
    ['keys that are not there', written('  num_generation: 8'), 'did you mean `num_generations`?'],
  ])('%s', (_, text, expected) => {
    expect(problems(text).join('\n')).toContain(expected);
  });

  test.each([
    ['[numerical]', '"numerical" is no TypeScript file → name a file that ends in .ts, or write {type: numeric, …}'],
    ['[{type: regex, pattern: "("}]', 'Unterminated group'],
    ['[{type: exact, field: a, extract: "["}]', 'Unterminated character class'],
    ['[{type: exact}]', '`trl.reward_funcs.0.field` is missing'],
    ['[{type: judge, url: "http://a/v1"}]', '`trl.reward_funcs.0.model` is missing'],
    ['[{type: judge, url: "http://a/v1", model: m, prompt: "Is {answers} good?"}]', 'no place for the answer'],
    ['[{type: judge, url: "ftp://a/v1", model: m}]', 'trl.reward_funcs.0.url: ftp:// is not asked'],
    ['[{type: judge, url: "https://a/v1", model: m, api_key_env: HF_TOKEN}]', 'HF_TOKEN holds the token of a hub'],
    ['[{type: judge, url: "http://a/v1", model: m, parameters: {n: 2}}]', '`n` is what Anneal itself sends'],
  ])('reward_funcs: %s', (rewards, expected) => {
    expect(problems(written('').replace(/reward_funcs:.*/, `reward_funcs: ${rewards}`)).join('\n')).toContain(expected);
  });

  test('trl without it has no meaning', () => {
    const text = 'base_model: m\ndatasets: [{path: a.jsonl}]\ntrl: {reward_funcs: [{type: length, target: 3}]}';
    expect(problems(text)).toEqual(['trl: `trl` has no meaning without `rl: grpo` → set rl: grpo, or remove it']);
  });
});
