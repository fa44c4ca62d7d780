import { graphOf } from '../../src/graph.ts';
import { type Attributes, defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { completeProjection, type MergedProjection } from '../grouped_linear/op.ts';
import type { RopeTable } from '../rope/op.ts';

/** Heads of 2P values: W holds those of queries, keys and values, Q of queries, M of keys; G heads are normed. */
function derive(
  { W, D, P, Q, M, G }: Extents,
  { heads, kvHeads }: Attributes<'heads' | 'kvHeads'>,
): Record<string, number> {
  const size = 2 * Number(P);
  const expected = { W: (heads + 2 * kvHeads) * size, D: size, Q: heads * size, M: kvHeads * size, G: heads + kvHeads };
  for (const [letter, given] of Object.entries({ W, D, Q, M, G })) {
    const wanted = expected[letter as keyof typeof expected];
    if (given !== undefined && given !== wanted)
      throw new Error(
        `qkv_rope: ${letter} is ${given} where ${heads} + 2 · ${kvHeads} heads of ${size} make it ${wanted}`,
      );
  }
  return { W: expected.W, Q: expected.Q, M: expected.M, ...(D !== undefined && { G: expected.G }) };
}

/**
 * Queries, keys and values out of one product, x = [q k v]: queries and keys normed head by head where there are weights (as
 * rms_norm does) and rotated (as rope does), values as they are.
 */
export const qkvRopeOp = defineOp({
  name: 'qkv_rope',
  inputs: { x: 'A[T,W]', qNorm: 'f32[D]?', kNorm: 'f32[D]?', cos: 'f32[T,P]', sin: 'f32[T,P]' },
  outputs: { q: 'A[T,Q]', k: 'A[T,M]', v: 'A[T,M]', rstd: 'f32[T,G]?' },
  attributes: ['heads', 'kvHeads', 'eps', 'offset'],
  derive,
  flops: ({ T = 0, W = 0 }) => 7 * T * W,
  backward: ({ graph, inputs, outputs, attributes: { heads, kvHeads, offset }, gradients, needs }) => {
    const { q: dq, k: dk, v: dv } = gradients;
    const { x, qNorm, kNorm, cos, sin } = inputs;
    if (!dq || !dk || !dv) throw new Error('qkv_rope: an output is not used');
    if (needs('qNorm') || needs('kNorm')) throw new Error('qkv_rope: norms that are trained have to be rms_norm');
    const normed = qNorm && { x, qNorm, kNorm, rstd: outputs.rstd };
    return { x: graph.apply(qkvRopeBackwardOp, { dq, dk, dv, cos, sin, ...normed }, { heads, kvHeads, offset }).dx };
  },
});

/** dx = [dq dk dv], turned back and, where they were normed, through rms_norm_backward_input. */
export const qkvRopeBackwardOp = defineOp({
  name: 'qkv_rope_backward',
  inputs: {
    dq: 'A[T,Q]',
    dk: 'A[T,M]',
    dv: 'A[T,M]',
    cos: 'f32[T,P]',
    sin: 'f32[T,P]',
    x: 'A[T,W]?',
    qNorm: 'f32[D]?',
    kNorm: 'f32[D]?',
    rstd: 'f32[T,G]?',
  },
  outputs: { dx: 'A[T,W]' },
  attributes: ['heads', 'kvHeads', 'offset'],
  derive,
  inPlace: { dx: ['x'] },
  flops: ({ T = 0, W = 0 }) => 12 * T * W,
});

export interface QkvRopeOptions {
  readonly heads: number;
  readonly kvHeads: number;
  /** Frozen weights [head size] of the norms of each query's and key's head; null where they are not normed. */
  readonly norms: { readonly q: Tensor; readonly k: Tensor; readonly eps: number; readonly offset: number } | null;
}

/** The projection: [T, (heads + 2 · kvHeads) · head size]. */
export function qkvRope(
  projection: MergedProjection,
  { cos, sin }: RopeTable,
  { heads, kvHeads, norms }: QkvRopeOptions,
): { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor } {
  const x = completeProjection(projection);
  const inputs = { x, qNorm: norms?.q, kNorm: norms?.k, cos, sin };
  return graphOf(x).apply(qkvRopeOp, inputs, { heads, kvHeads, eps: norms?.eps ?? 0, offset: norms?.offset ?? 0 });
}
