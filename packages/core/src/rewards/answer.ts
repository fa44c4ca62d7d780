import type { Quantization } from '../models/nf4.ts';
import type { EndpointOptions } from '../synthesis/options.ts';

/** What a reward function is given of an answer. Plain values: they go to another process. */
export interface JudgedAnswerText {
  /** What the model was given, as it reads it. */
  readonly prompt: string;
  /** All that it said, without the token that ends it. */
  readonly completion: string;
  /** The same without what was thought before. */
  readonly answer: string;
  /** What was thought; null where nothing was. */
  readonly thinking: string | null;
  /** Tokens of the completion, the one that ends it included. */
  readonly tokens: number;
  /** The model ended it; otherwise it was cut at `max_completion_length`. */
  readonly ended: boolean;
  /** The columns of its row. */
  readonly row: Readonly<Record<string, unknown>>;
}

/** An opinion of a model behind an endpoint, from 0 to 1. */
export interface JudgeReward {
  readonly name: string;
  readonly type: 'judge';
  readonly endpoint: EndpointOptions;
  /** In the place of our own words. */
  readonly prompt: string | null;
  /** Column of the row that the judge is shown beside the answer. */
  readonly field: string | null;
}

/** The score of a trained reward model. */
export interface ModelReward {
  readonly name: string;
  readonly type: 'reward_model';
  /** A model with a head of scores, or a PEFT folder with one; or the name of one that was pulled. */
  readonly path: string;
  readonly quantization: Quantization;
}

/** A reward function with its settings, as it goes to the process that computes it. */
export type ComputedReward = { readonly name: string } & (
  | { readonly type: 'typescript'; readonly path: string; readonly source: string }
  | { readonly type: 'regex'; readonly pattern: string; readonly flags: string }
  | { readonly type: 'exact'; readonly field: string; readonly extract: string | null }
  | { readonly type: 'numeric'; readonly field: string; readonly extract: string | null; readonly tolerance: number }
  | { readonly type: 'json_schema'; readonly schema: Readonly<Record<string, unknown>> }
  | { readonly type: 'length'; readonly target: number }
  | { readonly type: 'soft_overlong'; readonly cache: number; readonly longest: number }
  | { readonly type: 'repetition'; readonly ngram: number }
);

export type RewardFunction = ComputedReward | JudgeReward | ModelReward;

export type BuiltInReward = Exclude<ComputedReward, { readonly type: 'typescript' }>;

/** Characters of JSON that a number for each answer can have, and what is around them. A longer text is not read. */
export const mostCharacters = (answers: number): number => 1_000 + 32 * answers;
