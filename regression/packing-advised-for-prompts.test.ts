/** `anneal inspect` advised sample_packing for prompts of `rl: grpo`, which is refused there: nothing is packed before an answer is sampled. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { writeTinyModel } from '../packages/core/test/fixtures.ts';

const rows = Array.from({ length: 20 }, (_, i) => ({
  messages: [
    { role: 'user', content: `Which number comes after ${i}?` },
    { role: 'assistant', content: `${i + 1}` },
  ],
}));
const trl = '{num_generations: 2, max_completion_length: 8, reward_funcs: [{type: regex, pattern: x}]}';

test('packing is told of, and advised, only where rows can be packed', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  const model = writeTinyModel(folder);
  writeFileSync(join(folder, 'rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const recipe = [`base_model: ${model}`, 'datasets: [{path: rows.jsonl}]', 'val_set_size: 0', 'sequence_len: 512'];
  writeFileSync(join(folder, 'recipe.yaml'), recipe.join('\n'));

  const supervised = await anneal('inspect', 'recipe.yaml');
  expect(supervised.stdout).toMatch(/^packing .*sample_packing: true makes fewer, fuller steps$/m);
  const packed = await anneal('inspect', 'recipe.yaml', '--set', 'sample_packing=true');
  expect(packed.stdout).toMatch(/^packing .* % full \(one row each: \d+ %\)$/m);

  const prompts = await anneal('inspect', 'recipe.yaml', '--set', 'rl=grpo', '--set', `trl=${trl}`);
  expect([prompts.code, prompts.stdout]).toEqual([0, expect.stringContaining('longest row')]);
  expect(prompts.stdout).not.toContain('packing');
  const json = await anneal('inspect', 'recipe.yaml', '--set', 'rl=grpo', '--set', `trl=${trl}`, '--json');
  expect(JSON.parse(json.stdout).report).toMatchObject({ sequenceLen: 512, packing: null });
});
