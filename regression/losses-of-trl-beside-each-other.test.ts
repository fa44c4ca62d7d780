// Losses of TRL's DPOConfig that Anneal does not have, and lists of them, were said to belong below `trl` beside `rl: grpo`, which trains
// something else; and of two keys for the loss mask the one that is off by itself led to training questions, too.

import { checkRecipe } from '@anneal/core/recipe/read';
import { expect, it } from 'vitest';

function advice(lines: string): string[] {
  const checked = checkRecipe(`base_model: m\ndatasets:\n  - path: rows.jsonl\n${lines}\n`, 'a.yaml');
  return checked.ok ? [] : checked.problems.map(({ code, next }) => `${code}: ${next}`);
}

it.each(['exo_pair', 'nca_pair', 'apo_zero', '[sigmoid, bco_pair]', '[sigmoid, hinge]', '[exo_pair, sft]'])(
  'loss_type: %s is refused',
  (loss) => {
    const [first = ''] = advice(`rl: dpo\nloss_type: ${loss}`);
    expect(first).toMatch(/^not_supported: /);
    expect(first).not.toContain('grpo');
  },
);

it.each([
  ['[sigmoid]', 'write `rl: dpo`'],
  ['simpo', 'write `rl: simpo`'],
  ['dr_grpo', 'write it below `trl`, beside `rl: grpo`'],
  ['[sigmoid, sft]\nloss_weights: [1.0, 0.5]', 'write `rl: dpo, rpo_alpha: 0.5`'],
  ['[sft, ipo]', 'write `rl: ipo, rpo_alpha: 1`'],
])('loss_type: %s leads to ours', (loss, ours) => {
  const [first = '', ...others] = advice(`rl: dpo\nloss_type: ${loss}`);
  expect(first).toContain(ours);
  for (const other of others) expect(other).toContain('remove it');
});

it('weights that nothing here has are refused with their losses', () => {
  const problems = advice('rl: dpo\nloss_type: [sigmoid, sft]\nloss_weights: [0.8, 1.0]');
  expect(problems).toHaveLength(2);
  for (const problem of problems) expect(problem).toMatch(/^not_supported: /);
});

it.each([
  'completion_only_loss: true\nassistant_only_loss: false',
  'completion_only_loss: false\nassistant_only_loss: true',
])('one of both that is on is enough: %s', (lines) => {
  const problems = advice(`sample_packing: true\n${lines}`);
  expect(problems).toHaveLength(2);
  for (const problem of problems) expect(problem).toMatch(/^foreign_key: remove it/);
});
