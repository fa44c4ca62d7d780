/** `anneal validate` looked at the model and the rows alone: a reward model that is none, and a folder without an adapter, were told by `train`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkRecipe } from '../apps/agent/src/service/recipes/validate.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { tinyRecipe } from '../packages/core/test/runs.ts';

async function problemsOf(folder: string, changes: object) {
  const recipe = join(folder, 'recipe.yaml');
  const named = { schema_version: 1, ...tinyRecipe(folder, { base_model: join(folder, 'tiny-smollm2') }), ...changes };
  writeFileSync(recipe, JSON.stringify(named));
  return checkRecipe({}, { recipe });
}

test('reward models and the adapter to begin with are looked at', async () => {
  const folder = temporaryFolder();
  writeTinyModel(folder);
  writeFileSync(join(folder, 'prompts.jsonl'), '{"prompt": "What?"}\n');
  const datasets = [{ path: join(folder, 'prompts.jsonl') }];
  const judgedBy = (model: string) => ({
    rl: 'grpo',
    datasets,
    trl: { num_generations: 2, max_completion_length: 8, reward_funcs: [{ type: 'reward_model', model }] },
  });
  const none = await problemsOf(folder, judgedBy(join(folder, 'tiny-smollm2')));
  expect(none.problems).toMatchObject([{ path: ['trl', 'reward_funcs', 0], code: 'not_a_reward_model' }]);
  const notHere = await problemsOf(folder, judgedBy('somebody/Judge'));
  expect(notHere).toMatchObject({ problems: [], pull: { of: 'model', name: 'somebody/Judge' } });
  mkdirSync(join(folder, 'empty'));
  const begun = await problemsOf(folder, { adapter: 'lora', lora_model_dir: join(folder, 'empty') });
  expect(begun.problems).toMatchObject([{ path: ['lora_model_dir'], code: expect.stringMatching(/adapter|peft/) }]);
});
