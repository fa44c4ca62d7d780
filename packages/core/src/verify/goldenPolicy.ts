/** Reference values of answers that were sampled: the batches that they make. */
import { layOut } from '../datasets/batch.ts';
import type { TokenStore } from '../datasets/tokenStore.ts';
import type { Batch, StepBatches } from '../datasets/types.ts';
import { advantagesOf, answerWeights, type LossType, meanOf, type RewardScale } from '../objectives/sampledAnswers.ts';
import { type GoldenOptions, type GoldenPreference, storeOf } from './goldenPreference.ts';
import { maxDifference, type Quantity } from './quantity.ts';

/** Advantages are differences of rewards near 1, in the reference's float32. */
const advantageTolerance = 1e-5;

export function verifyAdvantages(golden: GoldenPreference): Quantity[] {
  return Object.entries(golden.advantages ?? {}).map(([scale, expected]) =>
    maxDifference(`advantages.${scale}`, rewardAdvantages(golden, scale as RewardScale), expected, advantageTolerance),
  );
}

/** What a loss is compared by: losses of single answers nearly cancel. 0 where they do not. */
export function lossSize({ objective, variants }: GoldenPreference): number {
  const [first] = Object.values(variants);
  return objective === 'grpo' ? meanOf((first?.rows?.loss ?? []).map(Math.abs)) : 0;
}

/** All answers as one step, in as many batches as the reference has them. @param old log-probabilities of all their tokens */
export function sampledStep(golden: GoldenPreference, options: GoldenOptions, old: Float32Array): StepBatches {
  const store = storeOf(golden.rows);
  const { accumulation = 1, loss_type: lossType = 'grpo', scale = 'group' } = options;
  const size = store.count / accumulation;
  const groups = Array.from({ length: accumulation }, (_, batch) =>
    Array.from({ length: size }, (_unused, i) => batch * size + i),
  );
  const learned = groups.map((group) =>
    group.map((answer) => {
      const isLeftOut = options.mask_truncated && golden.truncated?.[answer];
      return isLeftOut ? 0 : (store.targetCounts[answer] as number);
    }),
  );
  const weights = answerWeights(learned, {
    lossType: lossType as LossType,
    maxTokens: golden.max_completion_length ?? 0,
  });
  const advantages = rewardAdvantages(golden, scale);
  const batches = groups.map((group, batch) => sampledBatch(store, group, advantages, weights[batch] as number[], old));
  const tokens = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  return { batches, divergence: [], targetTokens: 0, tokens, epoch: 0, index: 0 };
}

/** Each answer as a batch of its own, whose loss is the mean of its tokens'. */
export function sampledRows(golden: GoldenPreference, options: GoldenOptions, old: Float32Array): Batch[] {
  const store = storeOf(golden.rows);
  const advantages = rewardAdvantages(golden, options.scale ?? 'group');
  return Array.from(store.targetCounts, (tokens, answer) =>
    sampledBatch(store, [answer], advantages, [1 / tokens], old),
  );
}

function sampledBatch(
  store: TokenStore,
  answers: readonly number[],
  advantages: readonly number[],
  weights: readonly number[],
  old: Float32Array,
): Batch {
  const batch = layOut(answers.map((document) => ({ document, words: store.words(document), side: 'none' })));
  const starts = Array.from(store.targetCounts, (_, answer) =>
    store.targetCounts.subarray(0, answer).reduce((sum, tokens) => sum + tokens, 0),
  );
  return {
    ...batch,
    answers: answers.map((answer, i) => {
      const start = starts[answer] as number;
      return {
        advantage: advantages[answer] as number,
        weight: weights[i] as number,
        old: old.subarray(start, start + (store.targetCounts[answer] as number)),
      };
    }),
  };
}

function rewardAdvantages({ rows }: GoldenPreference, scale: RewardScale): number[] {
  const rewards = rows.flatMap((row) => row.rewards ?? []);
  return advantagesOf(rewards, rewards.length / rows.length, scale);
}
