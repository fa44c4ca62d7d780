import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents, type Sizes, type WorkspaceContext } from '../../src/op.ts';
import { bytesOf, type Tensor } from '../../src/tensor.ts';
import { computeType, copyBytes, partsBytes } from '../../src/workspace.ts';
import { checkNf4, type Nf4Weight, nf4Block, nf4ScaleBlock } from '../dequantize_nf4/op.ts';
import { expertExtents } from '../expert_linear/op.ts';

// Products with a weight in NF4, for programs that mostly read a row or a few: a GPU then reads the codes as they are. Where rows are
// many, or products are differentiated, `dequantize_nf4` and `linear` say the same. Of experts whose absmaxes are quantized, too, products can
// read the codes for many rows as well, forward and backward (../expert_linear/wide_tiles.cuh).

const singleAbsmax = { absmax: 'f32[B]' } as const;
const doubleAbsmax = { absmax: 'u8[B]', scales: 'f32[M]', map: 'f32[256]', offsets: 'f32[M]' } as const;

/** The weight decoded, for kernels that read its elements. */
const decodedBytes = (rows: number, columns: number, { dtypes }: WorkspaceContext<'bf16'>): number =>
  bytesOf[dtypes['x'] ?? dtypes['dy'] ?? 'f32'] * rows * columns;

/** On a GPU also the copies that `linear` makes. */
function denseWorkspace({ T = 0, N = 0, K = 0 }: Sizes, context: WorkspaceContext<'bf16'>): number {
  const { device, dtypes, attributes } = context;
  const decoded = decodedBytes(N, K, context);
  if (device === 'cpu') return decoded;
  const compute = computeType(dtypes['x'], attributes.bf16);
  return partsBytes(decoded, copyBytes(dtypes['x'], compute, T * K), copyBytes(dtypes['x'], compute, N * K));
}

function derive(extents: Extents): Extents {
  checkNf4(Number(extents['N']), extents);
  if (extents['K'] !== 2 * Number(extents['H']))
    throw new Error(`linear_nf4: rows of ${extents['K']} do not fit a weight of ${2 * Number(extents['H'])} columns`);
  return {};
}

const ofDense = {
  attributes: ['bf16'],
  derive,
  inPlace: { y: ['c'] },
  inPlaceMatters: true,
  workspace: denseWorkspace,
  flops: ({ T = 0, K = 0, N = 0 }: Sizes) => 2 * T * K * N,
} as const;

/** y = x · weightᵀ (+ c), of which `dequantize_nf4` would give the weight. */
export const linearNf4Op = defineOp({
  name: 'linear_nf4',
  inputs: { x: 'A[T,K]', codes: 'u8[N,H]', ...singleAbsmax, c: 'A[T,N]?' },
  outputs: { y: 'A[T,N]' },
  ...ofDense,
});

/** The same of `dequantize_nf4_double`. */
export const linearNf4DoubleOp = defineOp({
  name: 'linear_nf4_double',
  inputs: { x: 'A[T,K]', codes: 'u8[N,H]', ...doubleAbsmax, c: 'A[T,N]?' },
  outputs: { y: 'A[T,N]' },
  ...ofDense,
});

function deriveExperts(extents: Extents): Extents {
  checkNf4(Number(extents['R']), extents);
  const K = 2 * Number(extents['H']);
  return { K, ...expertExtents({ ...extents, K }) };
}

/** The CPU decodes experts one after the other, where no block, and none of scales, reaches from one into the next. */
function expertsWorkspace({ R = 0, N = 0, K = 0 }: Sizes, context: WorkspaceContext<'bf16'>): number {
  const whole = nf4Block * (context.dtypes['absmax'] === 'u8' ? nf4ScaleBlock : 1);
  return decodedBytes(context.device === 'cpu' && (N * K) % whole === 0 ? N : R, K, context);
}

const ofExperts = {
  attributes: ['bf16'],
  derive: deriveExperts,
  workspace: expertsWorkspace,
  flops: ({ T = 0, C = 0, N = 0, K = 0 }: Sizes) => 2 * T * C * N * K,
} as const;

/** As `expert_linear`, with a weight of which `dequantize_nf4` would give the elements. */
export const expertLinearNf4Op = defineOp({
  name: 'expert_linear_nf4',
  inputs: { x: 'A[T,W]', codes: 'u8[R,H]', ...singleAbsmax, expertOffsets: 'i32[G]', c: 'A[T,Y]?' },
  outputs: { y: 'A[T,Y]' },
  inPlace: { y: ['c'] },
  ...ofExperts,
});

/** The same of `dequantize_nf4_double`. */
export const expertLinearNf4DoubleOp = defineOp({
  name: 'expert_linear_nf4_double',
  inputs: { x: 'A[T,W]', codes: 'u8[R,H]', ...doubleAbsmax, expertOffsets: 'i32[G]', c: 'A[T,Y]?' },
  outputs: { y: 'A[T,Y]' },
  inPlace: { y: ['c'] },
  ...ofExperts,
  backward: ({ graph, inputs: { x: _x, c: _c, ...weight }, attributes, gradients: { y: dy }, needs }) => {
    if (!dy) return {};
    return {
      ...(needs('c') && { c: dy }),
      ...(needs('x') && { x: graph.apply(expertLinearNf4DoubleBackwardInputOp, { dy, ...weight }, attributes).dx }),
    };
  },
});

/** dx = dy · weight_e (+ c). */
export const expertLinearNf4DoubleBackwardInputOp = defineOp({
  name: 'expert_linear_nf4_double_backward_input',
  inputs: { dy: 'A[T,Y]', codes: 'u8[R,H]', ...doubleAbsmax, expertOffsets: 'i32[G]', c: 'A[T,W]?' },
  outputs: { dx: 'A[T,W]' },
  inPlace: { dx: ['c'] },
  accumulator: { into: 'dx', from: 'c' },
  ...ofExperts,
  workspace: ({ R = 0, K = 0 }, context) => decodedBytes(R, K, context),
});

export interface LinearNf4Options {
  /** Rounds both operands of every product to bf16; sums are float32 in either case. */
  readonly bf16: boolean;
  /** Added to the result. */
  readonly plus?: Tensor | undefined;
}

export function linearNf4(x: Tensor, weight: Nf4Weight, { bf16, plus }: LinearNf4Options): Tensor {
  const { codes, absmax, double } = weight;
  const inputs = { x, codes, absmax, c: plus };
  const attributes = { bf16: bf16 ? 1 : 0 };
  return double
    ? graphOf(x).apply(linearNf4DoubleOp, { ...inputs, ...double }, attributes).y
    : graphOf(x).apply(linearNf4Op, inputs, attributes).y;
}

/** @param weight [E · N, K], the experts' rows one behind the other @param expertOffsets i32[E + 1] */
export function expertLinearNf4(
  x: Tensor,
  weight: Nf4Weight,
  expertOffsets: Tensor,
  { bf16, plus }: LinearNf4Options,
): Tensor {
  const { codes, absmax, double } = weight;
  const inputs = { x, codes, absmax, expertOffsets, c: plus };
  const attributes = { bf16: bf16 ? 1 : 0 };
  return double
    ? graphOf(x).apply(expertLinearNf4DoubleOp, { ...inputs, ...double }, attributes).y
    : graphOf(x).apply(expertLinearNf4Op, inputs, attributes).y;
}
