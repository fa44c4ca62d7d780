/**
 * Where more answers were sampled beside each other than a batch of short rows has tokens, a run of `rl: grpo` ended with a defect after the
 * first token of its answers: the plan had room for the batch alone.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

test('more answers beside each other than a batch has tokens', async () => {
  const folder = temporaryFolder();
  const rows = join(folder, 'prompts.jsonl');
  writeFileSync(rows, ['a', 'b'].map((prompt) => `${JSON.stringify({ prompt })}\n`).join(''));
  const reward = join(folder, 'length.ts');
  writeFileSync(reward, 'export default (answers) => answers.map(({ completion }) => completion.length);');
  const recipe = tinyRecipe(folder, {
    rl: 'grpo',
    trl: { reward_funcs: [reward], num_generations: 64, max_completion_length: 2 },
    datasets: [{ path: rows }],
    micro_batch_size: 1,
    gradient_accumulation_steps: 64,
    max_steps: 1,
  });
  const [step] = eventsOf(await trainHere(recipe), 'step');
  expect(step?.targetTokens).toBeGreaterThan(64);
});
