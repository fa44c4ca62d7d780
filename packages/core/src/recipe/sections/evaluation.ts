import * as z from 'zod';
import { derived, optional } from '../key.ts';

const message = z.strictObject({ role: z.string().min(1), content: z.string() });
const promptWithTools = z.strictObject({
  messages: z.array(message).min(1),
  tools: z.array(z.record(z.string(), z.json())).min(1),
});

/** What is measured, shown and saved on the way. */
export const evaluation = {
  logging_steps: optional(z.int().min(1).max(1_000_000), 1, 'Record the loss every so many optimizer steps.'),
  eval_steps: optional(
    z.int().min(1).max(1_000_000_000),
    null,
    'Measure the validation loss every so many steps. Instead of `evals_per_epoch`.',
  ),
  evals_per_epoch: derived(
    z.int().min(0).max(10_000),
    '1 unless `eval_steps` is written',
    'Measure the validation loss so many times an epoch, and at the end. 0: only at the end.',
  ),
  save_steps: optional(
    z.int().min(1).max(1_000_000_000),
    null,
    'Save a checkpoint every so many steps. Instead of `saves_per_epoch`.',
  ),
  saves_per_epoch: derived(
    z.int().min(0).max(10_000),
    '1 unless `save_steps` is written',
    'Save a checkpoint so many times an epoch, and at the end. 0: only at the end.',
  ),
  save_total_limit: optional(
    z.int().min(1).max(100_000),
    3,
    'Checkpoints kept; older ones are deleted. The one with the lowest validation loss is kept besides.',
  ),
  early_stopping_patience: optional(
    z.int().min(1).max(10_000),
    null,
    'Stop after so many evaluations in a row without a lower validation loss.',
  ),
  load_best_model_at_end: derived(
    z.boolean(),
    'true with `early_stopping_patience`, otherwise false',
    'End with the weights of the evaluation that had the lowest validation loss, not with the last ones.',
  ),
  sample_prompts: optional(
    z.array(z.union([z.string().min(1), promptWithTools, z.array(message).min(1)])),
    [],
    'Prompts that the model answers before training, at every checkpoint and at the end: each a text, a list of messages `{role, content}`, or `{messages, tools}` with the definitions of functions that the model may call.',
  ),
  sample_max_tokens: optional(z.int().min(1).max(1_000_000), 128, 'Longest answer to a sample prompt, in tokens.'),
  sample_temperature: optional(
    z.number().min(0).max(10),
    0,
    'Randomness of those answers. 0 takes the likeliest token each time, so that checkpoints can be compared.',
  ),
};
