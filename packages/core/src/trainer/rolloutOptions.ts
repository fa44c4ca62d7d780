import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
import type { SamplingOptions } from '../generate/sample.ts';
import type { LossType, RewardScale } from '../objectives/sampledAnswers.ts';
import type { ResolvedRecipe, ResolvedRollouts } from '../recipe/resolve.ts';
import { endpointOf } from '../recipe/synthesis/endpoint.ts';
import type { RewardFunction } from '../rewards/answer.ts';

/** How answers are sampled and judged, and what they are worth. */
export interface RolloutJob {
  /** To each prompt. */
  readonly answers: number;
  /** Of all prompts that are sampled beside each other. */
  readonly answersAtOnce: number;
  /** Most tokens of an answer. */
  readonly maxTokens: number;
  readonly sampling: SamplingOptions;
  readonly rewards: readonly RewardFunction[];
  /** Of the rewards, in their order. */
  readonly weights: readonly number[];
  readonly rewardScale: RewardScale;
  readonly lossType: LossType;
  /** Answers that did not end are left out of the loss. */
  readonly leavesOutCut: boolean;
  /** Answers of a batch. */
  readonly batchAnswers: number;
  /** Optimizer updates from the answers of one step. */
  readonly updates: number;
  /** Whether the run keeps its answers. */
  readonly keepsAnswers: boolean;
}

/** Null where nothing is sampled. */
export function rolloutJob(recipe: ResolvedRecipe): RolloutJob | null {
  const { trl } = recipe;
  if (trl === null) return null;
  return {
    answers: trl.num_generations,
    answersAtOnce: trl.generation_batch_size,
    maxTokens: trl.max_completion_length,
    sampling: {
      temperature: trl.temperature,
      topK: trl.top_k,
      topP: trl.top_p,
      minP: trl.min_p,
      repetitionPenalty: trl.repetition_penalty,
    },
    rewards: rewardFunctions(trl),
    weights: trl.reward_weights ?? trl.reward_funcs.map(() => 1),
    rewardScale: trl.scale_rewards,
    lossType: trl.loss_type,
    leavesOutCut: trl.mask_truncated_completions,
    batchAnswers: recipe.micro_batch_size,
    updates: trl.num_iterations,
    keepsAnswers: trl.log_completions,
  };
}

/** Each has a name of its own: its type, or the name of its file. */
export function rewardFunctions({ reward_funcs, max_completion_length: longest }: ResolvedRollouts): RewardFunction[] {
  const names = new Map<string, number>();
  return reward_funcs.map((reward): RewardFunction => {
    const plain = typeof reward === 'string' ? basename(reward).replace(/\.m?ts$/, '') : reward.type;
    const count = (names.get(plain) ?? 0) + 1;
    names.set(plain, count);
    const name = count === 1 ? plain : `${plain} ${count}`;
    if (typeof reward === 'string') {
      refuseSpecialFile(reward);
      return { name, type: 'typescript', path: reward, source: readFileSync(reward, 'utf8') };
    }
    switch (reward.type) {
      case 'regex':
        return { name, ...reward, flags: reward.flags ?? '' };
      case 'exact':
        return { name, ...reward, extract: reward.extract ?? null };
      case 'numeric':
        return { name, ...reward, extract: reward.extract ?? null, tolerance: reward.tolerance ?? 0 };
      case 'soft_overlong':
        return { name, ...reward, longest };
      case 'repetition':
        return { name, ...reward, ngram: reward.ngram ?? 3 };
      case 'reward_model':
        return {
          name,
          type: reward.type,
          path: reward.model,
          quantization: reward.load_in_4bit ? 'nf4' : 'none',
        };
      case 'judge': {
        const { type, prompt, field, ...endpoint } = reward;
        return { name, type, prompt, field, endpoint: endpointOf(endpoint) };
      }
      case 'json_schema':
      case 'length':
        return { name, ...reward };
    }
  });
}
