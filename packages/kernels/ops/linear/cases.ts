import { casesFor, constant, type Fill } from '../../src/cases/casesFor.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import type { Values } from '../../src/cases/values.ts';
import type { ActivationType } from '../../src/tensor.ts';
import { linearBackwardInputOp, linearBackwardWeightOp, linearOp } from './op.ts';

const shapes = [
  { T: 1, K: 1, N: 1 },
  { T: 1, K: 200, N: 33 },
  { T: 3, K: 17, N: 5 },
  { T: 3, K: 1032, N: 7 },
  { T: 37, K: 65, N: 50 },
  { T: 100, K: 16, N: 300 },
  { T: 130, K: 300, N: 16 },
];
const attributes = [
  { alpha: 1, bf16: 0 },
  { alpha: 0.5, bf16: 1 },
];
/** Of SmolLM2-135M at 512 tokens: queries, MLP up and down, LoRA's factors, and one token of a decoding step. */
const benchmark = [
  { T: 512, K: 576, N: 576 },
  { T: 512, K: 576, N: 1536 },
  { T: 512, K: 1536, N: 576 },
  { T: 512, K: 576, N: 16 },
  { T: 512, K: 16, N: 576 },
  { T: 1, K: 576, N: 1536 },
].map((extents) => ({ extents }));

/** What `copy` holds: the weight, rounded as its type has it. */
const copyOfWeight: Fill<'alpha' | 'bf16'> =
  ({ made }) =>
  (i) =>
    (made['weight'] as Values).data[i] as number;

/** What products read: of bfloat16 activations also the weights are rounded. */
function operandOf(bf16: number, activationType: ActivationType): (value: number) => number {
  return bf16 || activationType === 'bf16' ? roundToBf16 : (value) => value;
}

export const linearCases = casesFor(linearOp, {
  shapes,
  attributes,
  fill: { copy: copyOfWeight },
  hard: {
    'no rows': { extents: { T: 0, K: 4, N: 3 } },
    'all zero': { extents: { T: 4, K: 20, N: 20 }, fill: { x: constant(0) } },
    'one huge value': { extents: { T: 5, K: 33, N: 18 }, fill: { x: constant(1e15, 1, -1, 0.5, 2, 1, -3) } },
  },
  benchmark,
  reference: (
    { x, weight, c },
    { y },
    { extents: { T = 0, K = 0, N = 0 }, attributes: { alpha, bf16 }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        for (let k = 0; k < K; k++) y.add(t, n, alpha * operand(x.at(t, k)) * operand(weight.at(n, k)));
        y.add(t, n, c.at(t, n));
      }
    }
  },
});

export const linearBackwardInputCases = casesFor(linearBackwardInputOp, {
  shapes,
  attributes,
  fill: { copy: copyOfWeight },
  benchmark,
  reference: (
    { dy, weight, c },
    { dx },
    { extents: { T = 0, K = 0, N = 0 }, attributes: { alpha, bf16 }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    for (let t = 0; t < T; t++) {
      for (let k = 0; k < K; k++) {
        for (let n = 0; n < N; n++) dx.add(t, k, alpha * operand(dy.at(t, n)) * operand(weight.at(n, k)));
        dx.add(t, k, c.at(t, k));
      }
    }
  },
});

export const linearBackwardWeightCases = casesFor(linearBackwardWeightOp, {
  shapes,
  attributes,
  hard: {
    'no rows': { extents: { T: 0, K: 4, N: 3 } },
    'few rows, aligned': { extents: { T: 300, K: 192, N: 48 } },
    'few rows, one token': { extents: { T: 1, K: 64, N: 16 } },
  },
  benchmark,
  reference: (
    { dy, x, gradient },
    { total },
    { extents: { T = 0, K = 0, N = 0 }, attributes: { alpha, bf16 }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    for (let n = 0; n < N; n++) {
      for (let k = 0; k < K; k++) {
        total.add(n, k, gradient.at(n, k));
        for (let t = 0; t < T; t++) total.add(n, k, alpha * operand(dy.at(t, n)) * operand(x.at(t, k)));
      }
    }
  },
});
