import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** What `policy_loss` adds to its `sums`, in this order; as in policy.h. */
export const policySums = [
  /** weights[d] · the losses of the document's tokens. */
  'loss',
  /** Of the tokens, divergences from the reference as they are in the loss. */
  'divergence',
  /** Tokens, or with `sequence` documents, whose ratio is clipped from below, and from above. */
  'clippedLow',
  'clippedHigh',
] as const;

const sumCount = policySums.length;

/**
 * The loss of answers that were sampled from the model and judged: GRPO (Shao et al. 2024) and its kin. The log-probabilities of a
 * batch's supervised rows lie document after document, all of a document being its answer's. Of a token with
 * w = p / p when it was sampled, or `sequence`: the exponential of the mean of log w over the answer (GSPO, Zheng et al. 2025),
 *
 *   loss = -min(w · advantage, clamp(w, 1 - low, 1 + high) · advantage) + beta · k,  k = e^q - q - 1,  q = log reference - log p,
 *
 * where k is multiplied by w with `correction`. A document of weight 0 is left out. Without `old` the answers are the model's own as
 * it is: w is 1 and has its gradient. dlogps = d(loss) / dlogps.
 */
export const policyLossOp = defineOp({
  name: 'policy_loss',
  inputs: {
    logps: 'f32[R]',
    /** S - 1 documents: where each one's rows begin, and where the last one's end. */
    rowOffsets: 'i32[S]',
    advantages: 'f32[S]',
    weights: 'f32[S]',
    sums: 'f64[4]',
    old: 'f32[R]?',
    reference: 'f32[R]?',
  },
  outputs: { totals: 'f64[4]', dlogps: 'f32[R]' },
  attributes: ['sequence', 'low', 'high', 'beta', 'correction'],
  updates: { totals: 'sums' },
  // On a GPU each document's share of the sums.
  workspace: ({ S = 0 }, { device }) => (device === 'cuda' ? 8 * sumCount * S : 0),
  flops: ({ R = 0 }) => 16 * R,
  backward: ({ outputs: { dlogps } }) => ({ logps: dlogps }),
});

export interface PolicyLossInputs {
  readonly logps: Tensor;
  readonly rowOffsets: Tensor;
  readonly advantages: Tensor;
  readonly weights: Tensor;
  readonly sums: Tensor;
  readonly old?: Tensor | undefined;
  readonly reference?: Tensor | undefined;
}

export interface PolicyLossOptions {
  /** One ratio for all tokens of an answer. */
  readonly sequence: boolean;
  /** Ratios are clipped to 1 - low … 1 + high. */
  readonly low: number;
  readonly high: number;
  /** Weight of the divergence from the reference. */
  readonly beta: number;
  /** The divergence is multiplied by the ratio, which makes its gradient one without bias. */
  readonly correction: boolean;
}

export function policyLoss(inputs: PolicyLossInputs, { sequence, correction, ...rest }: PolicyLossOptions): Tensor {
  const attributes = { ...rest, sequence: sequence ? 1 : 0, correction: correction ? 1 : 0 };
  return graphOf(inputs.logps).apply(policyLossOp, { ...inputs }, attributes).totals;
}
