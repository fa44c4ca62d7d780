import { graphOf } from '../../src/graph.ts';
import { type Attributes, defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { attentionSinksBackwardOp } from '../attention_sinks/op.ts';

export interface AttentionOptions {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly scale: number;
  /** Keys a query sees, itself included; 0 for all earlier ones. */
  readonly window: number;
  /** Scores become softCap · tanh(score / softCap); 0 for no cap. */
  readonly softCap: number;
}

export interface PackedAttentionOptions extends AttentionOptions {
  /** Rounds the operands of every product to bf16; sums and softmax are float32 in either case. */
  readonly bf16: boolean;
  /** f32[H]: a score of each head that joins its softmax and has no value. */
  readonly sinks?: Tensor | undefined;
}

export const attentionAttributes = ['heads', 'kvHeads', 'headSize', 'scale', 'window', 'softCap'] as const;
const packedAttributes = [...attentionAttributes, 'bf16'] as const;

/** As kMaxHeads and kMaxHeadSize in native/cpu/attention/attention.h: what fits into a thread's scratch. */
export const attentionLimits = { heads: 512, headSize: 512 };

export function checkHeads(
  name: string,
  { Q, K }: Extents,
  a: Attributes<(typeof attentionAttributes)[number]>,
): { H: number } {
  if (Q !== a.heads * a.headSize || K !== a.kvHeads * a.headSize || a.heads % a.kvHeads !== 0)
    throw new Error(`${name}: ${a.heads}/${a.kvHeads} heads of ${a.headSize} do not fit rows of ${Q} and ${K}`);
  const { heads, headSize } = attentionLimits;
  if (a.heads > heads || a.headSize > headSize)
    throw new Error(`${name}: ${a.heads} heads of ${a.headSize} exceed ${heads} of ${headSize}`);
  return { H: a.heads };
}

/**
 * out = softmax(q·kᵀ·scale, under the soft cap) · v for each head, causal, within each document of the batch. Keys and values are shared by
 * heads / kvHeads query heads. lse is the log of the softmax's denominator, which the backward pass needs instead of the weights: sinks
 * are in it, so that the gradients of q, k and v are computed as without them.
 * Never holds the scores: Dao et al. 2022.
 */
export const attentionOp = defineOp({
  name: 'attention',
  inputs: { q: 'A[T,Q]', k: 'A[T,K]', v: 'A[T,K]', cuSeqlens: 'i32[S]', sinks: 'f32[H]?' },
  outputs: { out: 'A[T,Q]', lse: 'f32[H,T]' },
  attributes: packedAttributes,
  derive: (extents, attributes) => checkHeads('attention', extents, attributes),
  // On CUDA: the counter from which blocks take their work.
  workspace: (_, { device }) => (device === 'cuda' ? 4 : 0),
  flops: ({ T = 0, Q = 0 }) => 2 * T * T * Q,
  backward: ({ graph, inputs, outputs, attributes, gradients: { out: dout }, needs, gradientOf }) => {
    if (!dout) return {};
    const { sinks, ...others } = inputs;
    if (needs('sinks'))
      graph.apply(attentionSinksBackwardOp, { sinks, ...outputs, dout, gradient: gradientOf('sinks') });
    const { dq, dk, dv } = graph.apply(attentionBackwardOp, { ...others, ...outputs, dout }, attributes);
    return { q: dq, k: dk, v: dv };
  },
});

/** Gradients of `attention`; the scores are computed again from q, k and lse. */
export const attentionBackwardOp = defineOp({
  name: 'attention_backward',
  inputs: {
    q: 'A[T,Q]',
    k: 'A[T,K]',
    v: 'A[T,K]',
    cuSeqlens: 'i32[S]',
    out: 'A[T,Q]',
    lse: 'f32[H,T]',
    dout: 'A[T,Q]',
  },
  outputs: { dq: 'A[T,Q]', dk: 'A[T,K]', dv: 'A[T,K]' },
  attributes: packedAttributes,
  // On CUDA: Σ out · dout of each row and head, which both of its passes read.
  workspace: ({ H = 0, T = 0 }, { device }) => (device === 'cuda' ? 4 * H * T : 0),
  flops: ({ T = 0, Q = 0 }) => 5 * T * T * Q,
});

export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  cuSeqlens: Tensor,
  { bf16, sinks, ...options }: PackedAttentionOptions,
): Tensor {
  return graphOf(q).apply(attentionOp, { q, k, v, cuSeqlens, sinks }, { ...options, bf16: bf16 ? 1 : 0 }).out;
}
