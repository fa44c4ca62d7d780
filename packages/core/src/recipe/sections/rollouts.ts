import * as z from 'zod';
import { derived, optional, required } from '../key.ts';
import { endpointSchema } from '../synthesis/schema.ts';

const column = z.string().min(1);

/** A model's opinion; how it is asked is said as in a recipe of `anneal synthesize`. */
export const judgeRewardSchema = z.strictObject({
  type: z.literal('judge'),
  prompt: optional(
    z.string().min(1),
    null,
    'What the judge is asked, in the place of our own words: with `{answer}`, and `{prompt}` and `{reference}` where they belong. It must ask for JSON with a `score` from 0 to 10.',
  ),
  field: optional(column, null, 'Column of the row that the judge is shown as a reference.'),
  ...endpointSchema.shape,
  max_tokens: optional(z.int().min(1).max(1_000_000), 512, 'Longest judgement, in tokens.'),
  temperature: optional(z.number().min(0).max(10), 0, 'Randomness of the judgements.'),
});

/** A trained reward model, on the same device. */
const modelRewardSchema = z.strictObject({
  type: z.literal('reward_model'),
  model: z.string().min(1),
  load_in_4bit: z.boolean().nullish(),
});

/** Functions that are here; any other is a TypeScript file. */
export const rewardSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('regex'), pattern: z.string().min(1), flags: z.string().nullish() }),
  z.strictObject({ type: z.literal('exact'), field: column, extract: z.string().min(1).nullish() }),
  z.strictObject({
    type: z.literal('numeric'),
    field: column,
    extract: z.string().min(1).nullish(),
    tolerance: z.number().min(0).nullish(),
  }),
  z.strictObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.json()) }),
  z.strictObject({ type: z.literal('length'), target: z.int().min(1) }),
  z.strictObject({ type: z.literal('soft_overlong'), cache: z.int().min(1) }),
  z.strictObject({ type: z.literal('repetition'), ngram: z.int().min(1).max(64).nullish() }),
  modelRewardSchema,
  judgeRewardSchema,
]);

/** Sampling answers and judging them, by the names of TRL's GRPOConfig, which Axolotl has under `trl`, too. */
export const trlSchema = z.strictObject({
  reward_funcs: required(
    z.array(z.union([z.string().min(1), rewardSchema])).min(1),
    "What judges an answer: a list, each the path of a TypeScript file or a mapping with the `type` of a function that is here (`regex`, `exact`, `numeric`, `json_schema`, `length`, `soft_overlong`, `repetition`, `reward_model`, `judge`). docs/grpo.md explains them. An answer's reward is the sum of what they give.",
  ),
  reward_weights: optional(
    z.array(z.number()).min(1),
    null,
    'What the value of each function is multiplied by, in their order. null: 1 each.',
  ),
  num_generations: optional(z.int().min(2).max(4096), 8, 'Answers to each prompt. They are compared with each other.'),
  max_completion_length: optional(
    z.int().min(1),
    256,
    'Longest answer, in tokens. Prompts have what is left of `sequence_len`.',
  ),
  generation_batch_size: derived(
    z.int().min(2),
    'all answers of a step',
    'Answers that are sampled beside each other, a multiple of `num_generations`. Fewer take less memory and more time.',
  ),
  temperature: optional(
    z.number().positive().max(10),
    1,
    'Randomness of the answers. What is trained is the model at this temperature.',
  ),
  top_p: optional(
    z.number().positive().max(1),
    1,
    'Sample among the likeliest tokens that together have this probability.',
  ),
  top_k: optional(z.int().min(0), 0, 'Sample among so many of the likeliest tokens; 0: among all.'),
  min_p: optional(
    z.number().min(0).max(1),
    0,
    'Sample among tokens that are at least so likely, as a share of the likeliest.',
  ),
  repetition_penalty: optional(
    z.number().positive().max(10),
    1,
    'Above 1 makes tokens that are already in the text less likely.',
  ),
  loss_type: optional(
    z.enum(['grpo', 'bnpo', 'dr_grpo', 'dapo']),
    'dapo',
    'What the losses of tokens are divided by: `grpo` by the length of their answer, `dapo` by the tokens of the step, `bnpo` by those of the micro-batch, `dr_grpo` by `max_completion_length`.',
  ),
  scale_rewards: optional(
    z.enum(['group', 'batch', 'none']),
    'group',
    "Advantages are rewards less the mean of their prompt: over the spread of the prompt's, of the step's, or as they are (Dr. GRPO).",
  ),
  importance_sampling_level: optional(
    z.enum(['token', 'sequence']),
    'token',
    'Whether each token has a ratio of its own, or all of an answer have one (GSPO).',
  ),
  epsilon: optional(
    z.number().min(0).lt(1),
    0.2,
    'Ratios are clipped to 1 − epsilon … 1 + `epsilon_high`. Acts with `num_iterations` above 1.',
  ),
  epsilon_high: derived(z.number().min(0).max(1000), '`epsilon`', 'Upper end of the clipping; DAPO takes 0.28.'),
  beta: optional(
    z.number().min(0).max(1000),
    0,
    'Weight of the divergence from the model before training, which is the base with the adapter off. 0 spares that.',
  ),
  use_bias_correction_kl: optional(
    z.boolean(),
    true,
    'Multiply the divergence by the ratio, which makes its gradient one without bias.',
  ),
  num_iterations: optional(z.int().min(1).max(1000), 1, 'Optimizer updates from the answers of one step.'),
  mask_truncated_completions: optional(
    z.boolean(),
    false,
    'Leave answers that were cut at `max_completion_length` out of the loss. Their rewards count in the mean of their prompt.',
  ),
  log_completions: optional(
    z.boolean(),
    true,
    'Keep the answers of each step with their rewards in the run, in answers/.',
  ),
});

/** Learning from answers of one\'s own. */
export const rollouts = {
  trl: derived(trlSchema, 'must be written with `rl: grpo`', 'Sampling answers and judging them: see below.'),
};
