import { graphOf } from '../../src/graph.ts';
import { defineOp, type Sizes, type WorkspaceContext } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { computeType, copyBytes, partsBytes, tokenParts } from '../../src/workspace.ts';

export interface LinearOptions {
  readonly alpha?: number;
  /** Rounds both operands of every product to bf16; sums are float32 in either case. */
  readonly bf16: boolean;
  /** Added to the result. */
  readonly plus?: Tensor | undefined;
  /** The weight rounded to bfloat16, where products are formed in it: spares a conversion at each use. */
  readonly copy?: Tensor | undefined;
}

/** On CUDA, copies of the operands that have not the type computed in: of float32 weights where activations are bf16. */
function operandCopies(...operands: readonly (readonly [name: string, rows: 'T' | 'N', columns: 'K' | 'N'])[]) {
  return (sizes: Sizes, { device, dtypes, attributes }: WorkspaceContext<'alpha' | 'bf16'>): number => {
    if (device === 'cpu') return 0;
    const compute = computeType(dtypes.x ?? dtypes.dy, attributes.bf16);
    const copies = operands.map(([name, rows, columns]) =>
      name === 'weight' && dtypes['copy'] === compute
        ? 0
        : copyBytes(dtypes[name], compute, (sizes[rows] ?? 0) * (sizes[columns] ?? 0)),
    );
    return partsBytes(...copies);
  };
}

/** The sums of CUDA's own kernel for gradients of few rows (narrow_gradient.cuh); null where it does not serve. */
function narrowSums({ T = 0, N = 0, K = 0 }: Sizes, { device, dtypes }: WorkspaceContext<string>): number | null {
  const isServed = device === 'cuda' && dtypes['x'] === 'bf16' && N % 16 === 0 && N <= 64 && K % 64 === 0;
  return isServed ? 4 * tokenParts(T, K / 64) * N * K : null;
}

/** Of the factors of LoRA, of up to four linears that read one input. */
const isNarrow = ({ N = 0 }: Sizes): boolean => N <= 64;

/** y = alpha · x · weightᵀ (+ c). weight is stored as checkpoints have it, one row an output. */
export const linearOp = defineOp({
  name: 'linear',
  inputs: { x: 'A[T,K]', weight: 'f32|bf16[N,K]', c: 'A[T,N]?', copy: 'bf16[N,K]?' },
  outputs: { y: 'A[T,N]' },
  attributes: ['alpha', 'bf16'],
  inPlace: { y: ['c'] },
  inPlaceMatters: true,
  workspace: operandCopies(['x', 'T', 'K'], ['weight', 'N', 'K']),
  tiles: true,
  isShort: isNarrow,
  flops: ({ T = 0, K = 0, N = 0 }) => 2 * T * K * N,
  backward: ({ graph, inputs: { x, weight, copy }, attributes, gradients: { y: dy }, needs, gradientOf }) => {
    if (!dy) return {};
    if (needs('weight')) graph.apply(linearBackwardWeightOp, { dy, x, gradient: gradientOf('weight') }, attributes);
    return {
      ...(needs('c') && { c: dy }),
      ...(needs('x') && { x: graph.apply(linearBackwardInputOp, { dy, weight, copy }, attributes).dx }),
    };
  },
});

/** dx = alpha · dy · weight (+ c). */
export const linearBackwardInputOp = defineOp({
  name: 'linear_backward_input',
  inputs: { dy: 'A[T,N]', weight: 'f32|bf16[N,K]', c: 'A[T,K]?', copy: 'bf16[N,K]?' },
  outputs: { dx: 'A[T,K]' },
  attributes: ['alpha', 'bf16'],
  inPlace: { dx: ['c'] },
  inPlaceMatters: true,
  accumulator: { into: 'dx', from: 'c' },
  workspace: operandCopies(['dy', 'T', 'N'], ['weight', 'N', 'K']),
  tiles: true,
  flops: ({ T = 0, K = 0, N = 0 }) => 2 * T * K * N,
});

/** gradient += alpha · dyᵀ · x. For LoRA's factors this is all there is: the dense weight's gradient is never formed. */
export const linearBackwardWeightOp = defineOp({
  name: 'linear_backward_weight',
  inputs: { dy: 'A[T,N]', x: 'A[T,K]', gradient: 'f32[N,K]' },
  outputs: { total: 'f32[N,K]' },
  attributes: ['alpha', 'bf16'],
  updates: { total: 'gradient' },
  workspace: (sizes, context) =>
    narrowSums(sizes, context) ?? operandCopies(['dy', 'T', 'N'], ['x', 'T', 'K'])(sizes, context),
  tiles: true,
  flops: ({ T = 0, K = 0, N = 0 }) => 2 * T * K * N,
});

export function linear(x: Tensor, weight: Tensor, { alpha = 1, bf16, plus, copy }: LinearOptions): Tensor {
  return graphOf(x).apply(linearOp, { x, weight, c: plus, copy }, { alpha, bf16: bf16 ? 1 : 0 }).y;
}
