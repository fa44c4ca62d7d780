import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fixtures.ts';
import { missing, resolved } from '../../test/recipeTable.ts';
import type { Recipe } from '../recipe/schema.ts';
import { trlSchema } from '../recipe/sections/rollouts.ts';
import { type RolloutJob, rolloutJob } from './rolloutOptions.ts';

const folder = temporaryFolder();
const length = { type: 'length', target: 8 } as const;
writeFileSync(join(folder, 'mine.ts'), 'export default () => [];');
const usual: RolloutJob = {
  answers: 8,
  answersAtOnce: 16,
  maxTokens: 256,
  sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  rewards: [{ name: 'length', ...length }],
  weights: [1],
  rewardScale: 'group',
  lossType: 'dapo',
  leavesOutCut: false,
  batchAnswers: 8,
  updates: 1,
  keepsAnswers: true,
};
const sampling = (change: Partial<RolloutJob['sampling']>) => ({ sampling: { ...usual.sampling, ...change } });

/** `objectiveOptions.test.ts` has them. */
const ofObjective = ['importance_sampling_level', 'epsilon', 'epsilon_high', 'beta', 'use_bias_correction_kl'];
const table: readonly (readonly [Partial<NonNullable<Recipe['trl']>>, Partial<RolloutJob>])[] = [
  [{}, {}],
  [{ reward_weights: [0.5] }, { weights: [0.5] }],
  [
    { reward_funcs: [length, { ...length, target: 9 }, 'mine.ts'], reward_weights: [1, 2, 3] },
    {
      rewards: [
        { name: 'length', ...length },
        { name: 'length 2', type: 'length', target: 9 },
        { name: 'mine', type: 'typescript', path: join(folder, 'mine.ts'), source: 'export default () => [];' },
      ],
      weights: [1, 2, 3],
    },
  ],
  [{ num_generations: 4 }, { answers: 4 }],
  [{ generation_batch_size: 8 }, { answersAtOnce: 8 }],
  [{ max_completion_length: 32 }, { maxTokens: 32 }],
  [{ temperature: 0.7 }, sampling({ temperature: 0.7 })],
  [{ top_k: 20 }, sampling({ topK: 20 })],
  [{ top_p: 0.9 }, sampling({ topP: 0.9 })],
  [{ min_p: 0.05 }, sampling({ minP: 0.05 })],
  [{ repetition_penalty: 1.1 }, sampling({ repetitionPenalty: 1.1 })],
  [{ loss_type: 'grpo' }, { lossType: 'grpo' }],
  [{ loss_type: 'bnpo' }, { lossType: 'bnpo' }],
  [{ loss_type: 'dr_grpo' }, { lossType: 'dr_grpo' }],
  [{ loss_type: 'dapo' }, { lossType: 'dapo' }],
  [{ scale_rewards: 'group' }, { rewardScale: 'group' }],
  [{ scale_rewards: 'batch' }, { rewardScale: 'batch' }],
  [{ scale_rewards: 'none' }, { rewardScale: 'none' }],
  [{ num_iterations: 3 }, { updates: 3 }],
  [{ mask_truncated_completions: true }, { leavesOutCut: true }],
  [{ mask_truncated_completions: false }, { leavesOutCut: false }],
  [{ log_completions: true }, { keepsAnswers: true }],
  [{ log_completions: false }, { keepsAnswers: false }],
];
const batches = { micro_batch_size: 8, gradient_accumulation_steps: 2 };
const recipe = (keys: object) => resolved({ rl: 'grpo', trl: { reward_funcs: [length], ...keys }, ...batches }, folder);

test.each(table)('%j', (keys, changes) => {
  expect(rolloutJob(recipe(keys))).toEqual({ ...usual, ...changes });
});

test('each key of trl, and each value of an enum, is among them', () => {
  const keys = Object.entries(trlSchema.shape).filter(([key]) => !ofObjective.includes(key));
  expect(
    missing(
      Object.fromEntries(keys),
      table.map(([part]) => part),
    ),
  ).toEqual([]);
});

test('each type of reward has what is written, and what is not', () => {
  const schema = { type: 'object' };
  const rewards = [
    { type: 'regex', pattern: 'a' },
    { type: 'exact', field: 'wanted' },
    { type: 'numeric', field: 'wanted', extract: '(.)', tolerance: 0.5 },
    { type: 'json_schema', schema },
    { type: 'soft_overlong', cache: 4 },
    { type: 'repetition' },
    { type: 'reward_model', model: 'someone/judge', load_in_4bit: true },
  ] as const;
  expect(rolloutJob(recipe({ reward_funcs: rewards }))?.rewards).toEqual([
    { name: 'regex', type: 'regex', pattern: 'a', flags: '' },
    { name: 'exact', type: 'exact', field: 'wanted', extract: null },
    { name: 'numeric', type: 'numeric', field: 'wanted', extract: '(.)', tolerance: 0.5 },
    { name: 'json_schema', type: 'json_schema', schema },
    { name: 'soft_overlong', type: 'soft_overlong', cache: 4, longest: 256 },
    { name: 'repetition', type: 'repetition', ngram: 3 },
    { name: 'reward_model', type: 'reward_model', path: join(folder, 'someone/judge'), quantization: 'nf4' },
  ]);
});

test('nothing is sampled without', () => {
  expect(rolloutJob(resolved({ rl: 'dpo' }))).toBeNull();
});
