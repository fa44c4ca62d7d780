/** What sampled answers are worth: to each other by their rewards, and to the loss by their lengths. */

/** How rewards become advantages: over the spread of their group, over that of the whole step, or as they are. */
export type RewardScale = 'group' | 'batch' | 'none';

/** Keeps advantages finite where all rewards are the same: TRL's. */
const LEAST_SPREAD = 1e-4;

/**
 * Of each answer, by how much its reward is above the mean of its group: those of one prompt, which lie beside each other.
 * @param groupSize answers to a prompt
 */
export function advantagesOf(rewards: readonly number[], groupSize: number, scale: RewardScale): number[] {
  const spreadOfAll = spreadOf(rewards);
  return rewards.map((reward, i) => {
    const first = i - (i % groupSize);
    const group = rewards.slice(first, first + groupSize);
    const above = reward - meanOf(group);
    if (scale === 'none') return above;
    return above / ((scale === 'group' ? spreadOf(group) : spreadOfAll) + LEAST_SPREAD);
  });
}

/**
 * What losses of tokens are divided by. `grpo`: each answer's mean, and the mean of those. `bnpo`: the tokens of each batch, and the
 * mean over batches. `dapo`: the tokens of the whole step (Yu et al. 2025). `dr_grpo`: what all answers could have had, whatever they
 * have, so that long ones are not favored (Liu et al. 2025).
 */
export type LossType = 'grpo' | 'bnpo' | 'dapo' | 'dr_grpo';

export interface WeightOptions {
  readonly lossType: LossType;
  /** Most tokens of an answer. */
  readonly maxTokens: number;
}

/**
 * The weight of each token of each answer, batch by batch.
 * @param batches of each batch the tokens of its answers, 0 of one that is left out
 */
export function answerWeights(
  batches: readonly (readonly number[])[],
  { lossType, maxTokens }: WeightOptions,
): number[][] {
  const answers = batches.reduce((count, batch) => count + batch.length, 0);
  const all = sumOf(batches.map(sumOf));
  return batches.map((batch) => {
    const ofBatch = sumOf(batch);
    return batch.map((tokens) => {
      if (tokens === 0) return 0;
      if (lossType === 'grpo') return 1 / (answers * tokens);
      if (lossType === 'dr_grpo') return 1 / (answers * maxTokens);
      return lossType === 'dapo' ? 1 / all : 1 / (batches.length * ofBatch);
    });
  });
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

export const meanOf = (values: readonly number[]): number => sumOf(values) / values.length;

/** Standard deviation with n - 1; 0 of a single value. */
export function spreadOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  return Math.sqrt(sumOf(values.map((value) => (value - mean) ** 2)) / (values.length - 1));
}
