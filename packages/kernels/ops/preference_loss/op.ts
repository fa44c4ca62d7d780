import { graphOf } from '../../src/graph.ts';
import { defineOp, type Sizes, type WorkspaceContext } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * Inputs that losses over whole answers share. The log-probabilities of a batch's supervised rows lie document after document; of a
 * document with an answer the last ones are the answer's. `reference` are those of the model that is not trained; absent: zeros.
 */
const answers = {
  logps: 'f32[R]',
  /** S - 1 documents: where each one's rows begin, and where the last one's end. */
  rowOffsets: 'i32[S]',
  /** Where the rows of its answer begin. */
  answerOffsets: 'i32[S]',
  /** `sides`. Of a pair the rejected answer follows the chosen one. */
  side: 'i32[S]',
} as const;

/** What a document is: no answer, one that is preferred, or one that is not. As in answers.h. */
export const sides = { none: 0, chosen: 1, rejected: 2 } as const;

/** What a loss adds to its `sums`, in this order; as in answers.h. */
export const preferenceSums = [
  'loss',
  /** Of -log p of all rows of chosen documents; 0 where it is not part of the loss. */
  'likelihoodLoss',
  'chosenReward',
  'rejectedReward',
  /** Pairs whose chosen answer has the higher reward. */
  'correct',
  'chosenLogp',
  'rejectedLogp',
] as const;

const sumCount = preferenceSums.length;

/** On a GPU each document's share of the sums. */
function workspace({ S = 0 }: Sizes, { device }: Pick<WorkspaceContext<never>, 'device'>): number {
  return device === 'cuda' ? 8 * sumCount * S : 0;
}

/** A loss of z, where z = beta · (value of the chosen answer - value of the rejected one) - gamma - margin; as in answers.h. */
export const pairForms = {
  /** right · softplus(-z) + wrong · softplus(z) */
  sigmoid: 0,
  /** max(0, 1 - z) */
  hinge: 1,
  /** z² */
  square: 2,
} as const;

/** The value of an answer whose tokens have the log-probabilities l, less those of the reference; as in answers.h. */
const answerValues = {
  sum: 0,
  mean: 1,
  /** log(p / (1 - p)) for p = exp(mean l) */
  logOdds: 2,
} as const;

/**
 * To each loss center · (sum of both values)² is added. `margins` of chosen documents; absent: zeros.
 * sums += losses of the batch's pairs and what describes them (`preferenceSums`, not scaled);
 * dlogps = d(scale[0] · loss + scale[1] · likelihoodLoss) / dlogps.
 */
export const pairLossOp = defineOp({
  name: 'pair_loss',
  inputs: { ...answers, scale: 'f32[2]', sums: 'f64[7]', reference: 'f32[R]?', margins: 'f32[S]?' },
  outputs: { totals: 'f64[7]', dlogps: 'f32[R]' },
  attributes: ['form', 'value', 'beta', 'gamma', 'right', 'wrong', 'rewardScale', 'meanRewards', 'center'],
  updates: { totals: 'sums' },
  workspace,
  flops: ({ R = 0 }) => 8 * R,
  backward: ({ outputs: { dlogps } }) => ({ logps: dlogps }),
});

/**
 * The same for answers that are judged one by one (Ethayarajh et al. 2024): loss of a chosen answer chosenWeight · (1 - σ(beta · (ratio - kl))),
 * of a rejected one rejectedWeight · (1 - σ(beta · (kl - ratio))), where kl = max(0, scale[1] · divergence); absent: 0.
 */
export const ktoLossOp = defineOp({
  name: 'kto_loss',
  inputs: { ...answers, scale: 'f32[2]', sums: 'f64[7]', reference: 'f32[R]', divergence: 'f64[1]?' },
  outputs: { totals: 'f64[7]', dlogps: 'f32[R]' },
  attributes: ['beta', 'chosenWeight', 'rejectedWeight'],
  updates: { totals: 'sums' },
  workspace,
  flops: ({ R = 0 }) => 8 * R,
  backward: ({ outputs: { dlogps } }) => ({ logps: dlogps }),
});

/** total = sum + Σ (logps - reference), in float64 and in one order. */
export const logRatioSumOp = defineOp({
  name: 'log_ratio_sum',
  inputs: { logps: 'f32[R]', reference: 'f32[R]', sum: 'f64[1]' },
  outputs: { total: 'f64[1]' },
  updates: { total: 'sum' },
  flops: ({ R = 0 }) => 2 * R,
});

export interface AnswerInputs {
  readonly logps: Tensor;
  readonly rowOffsets: Tensor;
  readonly answerOffsets: Tensor;
  readonly side: Tensor;
  /** f32[2] */
  readonly scale: Tensor;
  readonly sums: Tensor;
}

export interface PairLossOptions {
  readonly form: keyof typeof pairForms;
  readonly value: keyof typeof answerValues;
  readonly beta: number;
  readonly gamma: number;
  readonly right: number;
  readonly wrong: number;
  /** A reward is so many times the answer's log-probability less that of the reference: the sum, or the mean over its tokens. */
  readonly rewardScale: number;
  readonly meanRewards: boolean;
  /** Of the square of what both answers have together. */
  readonly center?: number;
}

export function pairLoss(
  inputs: AnswerInputs & { reference?: Tensor | undefined; margins?: Tensor | undefined },
  options: PairLossOptions,
): Tensor {
  const { form, value, meanRewards, center = 0, ...rest } = options;
  return graphOf(inputs.logps).apply(
    pairLossOp,
    { ...inputs },
    { ...rest, form: pairForms[form], value: answerValues[value], meanRewards: meanRewards ? 1 : 0, center },
  ).totals;
}

export interface KtoLossOptions {
  readonly beta: number;
  readonly chosenWeight: number;
  readonly rejectedWeight: number;
}

export function ktoLoss(
  inputs: AnswerInputs & { reference: Tensor; divergence?: Tensor | undefined },
  options: KtoLossOptions,
): Tensor {
  return graphOf(inputs.logps).apply(ktoLossOp, { ...inputs }, { ...options }).totals;
}
