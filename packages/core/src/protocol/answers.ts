/** Answers that a run sampled to learn from. Browser-safe. */
import { z } from 'zod';

const count = z.int().min(0);

/** Of a step, what the answers were like; means over them. As the events name it. */
export const rolloutMeasures = {
  /** Sum of the reward functions by their weights. */
  reward: z.number().optional(),
  /** Mean over the prompts of the standard deviation among their answers. */
  rewardSpread: z.number().optional(),
  /** Of each function, before its weight. */
  rewardByFunction: z.record(z.string(), z.number()).optional(),
  /** Tokens of an answer. */
  answerTokens: z.number().optional(),
  /** Share of the answers that were cut at `max_completion_length`. */
  cutShare: z.number().optional(),
  /** Share of the prompts whose answers all have the same reward: nothing is learned from them. */
  equalShare: z.number().optional(),
  /** Share of the tokens, or with GSPO of the answers, whose ratio was clipped. */
  clipShare: z.number().optional(),
};

/** A line of answers/step-N.jsonl. */
export const sampledAnswerSchema = z.object({
  /** Of its row. */
  file: z.string(),
  row: z.int().min(1),
  /** Number among the answers to that prompt, from 0. */
  answer: count,
  prompt: z.string(),
  text: z.string(),
  /** By the model; otherwise it was cut. */
  ended: z.boolean(),
  reward: z.number(),
  rewards: z.record(z.string(), z.number()),
  advantage: z.number(),
  /** Token ids, and how likely the model found each before the step, as natural logarithms. */
  ids: z.array(count),
  logps: z.array(z.number().nullable()),
});
export type SampledAnswerRecord = z.infer<typeof sampledAnswerSchema>;

/** An answer without its single tokens, which stay in the file. */
export type ListedAnswer = Omit<SampledAnswerRecord, 'ids' | 'logps'> & { readonly tokens: number };
