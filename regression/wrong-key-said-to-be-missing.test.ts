/**
 * A key with a mistake in it was taken for one that is not there: whatever was wrong below `trl`, `rl: grpo` was also said to have no
 * rewards, and keys that go with a misspelled `rl` to have no meaning. A reward of a kind that is not known was "the text, not ".
 */
import { checkRecipe } from '@anneal/core/recipe/read';
import { expect, it } from 'vitest';

function problems(lines: string): string[] {
  const checked = checkRecipe(`base_model: m\ndatasets: [{path: a.jsonl}]\n${lines}\n`, 'recipe.yaml');
  return checked.ok ? [] : checked.problems.map(({ what, next }) => `${what}; ${next}`);
}

it.each([
  'rl: grpo\ntrl: {reward_funcs: [], num_generations: 4}',
  'rl: grpo\ntrl: {reward_funcs: [a.ts], num_generations: many}',
  'rl: grop\ntrl: {reward_funcs: [a.ts]}',
  'rl: dpoo\nrl_beta: 0.1',
  'val_set_size: some\nload_best_model_at_end: true',
])('one mistake is told once: %s', (lines) => {
  expect(problems(lines)).toHaveLength(1);
});

it('a reward of an unknown kind is told the kinds there are, and an unknown key those of its kind', () => {
  expect(problems('rl: grpo\ntrl: {reward_funcs: [{type: reword_model, model: m}]}')).toEqual([
    expect.stringMatching(
      /`trl.reward_funcs.0.type` is the text "reword_model"; did you mean `reward_model`\? choose one of regex, /,
    ),
  ]);
  expect(problems('rl: grpo\ntrl: {reward_funcs: [{type: numeric, field: a, colour: red}]}')).toEqual([
    expect.stringMatching(/unknown key `trl.reward_funcs.0.colour`; .*known here: type, field, extract, tolerance$/),
  ]);
});
