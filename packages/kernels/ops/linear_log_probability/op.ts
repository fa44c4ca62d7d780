import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import {
  attributesOf,
  type CrossEntropyInputs,
  type CrossEntropyOptions,
  supervisedRowsWorkspace,
} from '../linear_cross_entropy/op.ts';

/**
 * logps[r] = log softmax(logits)[labels[t]] for t = rows[r], the logits under a soft cap or not. As in linear_cross_entropy few rows of logits exist at a time; the
 * backward pass forms them again, because what it multiplies them by depends on all of them.
 */
export const linearLogProbabilityOp = defineOp({
  name: 'linear_log_probability',
  inputs: { x: 'A[T,D]', weight: 'f32|bf16[V,D]', labels: 'i32[T]', rows: 'i32[R]' },
  outputs: { logps: 'f32[R]' },
  attributes: ['bf16', 'chunkRows', 'softCap'],
  workspace: supervisedRowsWorkspace,
  flops: ({ R = 0, D = 0, V = 0 }) => 2 * R * D * V,
  backward: ({ graph, inputs, gradients: { logps: dlogps }, needs, gradientOf, attributes }) => {
    if (!dlogps) return {};
    const gradient = needs('weight') ? gradientOf('weight') : undefined;
    return { x: graph.apply(linearLogProbabilityBackwardOp, { ...inputs, dlogps, gradient }, attributes).dx };
  },
});

/** dx = Σ over r of dlogps[r] · d logps[r] / dx and, where weight is trained, gradient += the same by the weight. */
export const linearLogProbabilityBackwardOp = defineOp({
  name: 'linear_log_probability_backward',
  inputs: {
    x: 'A[T,D]',
    weight: 'f32|bf16[V,D]',
    labels: 'i32[T]',
    rows: 'i32[R]',
    dlogps: 'f32[R]',
    gradient: 'f32[V,D]?',
  },
  outputs: { dx: 'A[T,D]', gradientTotal: 'f32[V,D]?' },
  attributes: ['bf16', 'chunkRows', 'softCap'],
  updates: { gradientTotal: 'gradient' },
  workspace: supervisedRowsWorkspace,
  flops: ({ R = 0, D = 0, V = 0 }) => 6 * R * D * V,
});

/** Log-probabilities of the labels, f32[R], natural logarithms. */
export function linearLogProbability(inputs: Omit<CrossEntropyInputs, 'loss'>, options: CrossEntropyOptions): Tensor {
  return graphOf(inputs.x).apply(linearLogProbabilityOp, { ...inputs }, attributesOf(options)).logps;
}
