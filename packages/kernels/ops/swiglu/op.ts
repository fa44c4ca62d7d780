import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents, type Sizes, type WorkspaceContext } from '../../src/op.ts';
import { bytesOf, type Tensor } from '../../src/tensor.ts';
import { computeType, copyBytes, partsBytes } from '../../src/workspace.ts';
import { completeProjection, groupedLinearMergedBackwardOp, type MergedProjection } from '../grouped_linear/op.ts';

/**
 * y = activation(gate) · up: silu(z) = z / (1 + e^-z), or with `gelu` its tanh formula, z / (1 + e^(-2√(2/π) · (z + 0.044715 z³))).
 * Shazeer 2020.
 */
export const swigluOp = defineOp({
  name: 'swiglu',
  inputs: { gate: 'A[T,N]', up: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['gelu'],
  inPlace: { y: ['gate', 'up'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => 6 * T * N,
  backward: ({ graph, inputs: { gate, up }, attributes, gradients: { y: dy } }) => {
    if (!dy) return {};
    const { dgate, dup } = graph.apply(swigluBackwardOp, { dy, gate, up }, attributes);
    return { gate: dgate, up: dup };
  },
});

/** dup = dy · silu(gate), dgate = dy · up · σ(gate) · (1 + gate · (1 - σ(gate))); likewise with gelu, whose σ has another argument. */
export const swigluBackwardOp = defineOp({
  name: 'swiglu_backward',
  inputs: { dy: 'A[T,N]', gate: 'A[T,N]', up: 'A[T,N]' },
  outputs: { dgate: 'A[T,N]', dup: 'A[T,N]' },
  attributes: ['gelu'],
  inPlace: { dgate: ['gate', 'dy'], dup: ['up', 'dy'] },
  tiles: true,
  flops: ({ T = 0, N = 0 }) => 12 * T * N,
});

export type GateActivation = 'silu' | 'gelu_tanh';

const isGelu = (activation: GateActivation): number => (activation === 'gelu_tanh' ? 1 : 0);

export function swiglu(gate: Tensor, up: Tensor, activation: GateActivation = 'silu'): Tensor {
  return graphOf(gate).apply(swigluOp, { gate, up }, { gelu: isGelu(activation) }).y;
}

function halves({ M, N, R, K }: Extents): Extents {
  if (Number(M) % 2 !== 0 || (N !== undefined && Number(N) !== Number(M) / 2))
    throw new Error(`swiglu_merged: ${M} columns are not twice ${N ?? 'a whole number'}`);
  if (R !== undefined && Number(R) !== 2 * Number(K))
    throw new Error(`swiglu_merged: low has ${R} columns where its factors read ${2 * Number(K)}`);
  return { N: Number(M) / 2 };
}

/** What is added to gate and up before: alpha · low_i · factor_iᵀ, as grouped_linear_merged adds it. */
const lowRank = {
  low: 'A[T,R]?',
  factor0: 'f32|bf16[N,K]?',
  factor1: 'f32|bf16[N,K]?',
  copy0: 'bf16[N,K]?',
  copy1: 'bf16[N,K]?',
} as const;

/** The factors in the activations' type, and x with the products added, where no kernel does it on the way. */
function workspace({ T = 0, M = 0, N = 0, K = 0 }: Sizes, { device, dtypes, attributes }: SwigluContext): number {
  if (!dtypes.low) return 0;
  const sum = bytesOf[dtypes.x ?? 'f32'] * T * M;
  if (device === 'cpu') return sum;
  const compute = computeType(dtypes.x, attributes.bf16);
  const copies = ([0, 1] as const).map((i) =>
    dtypes[`copy${i}`] === compute ? 0 : copyBytes(dtypes[`factor${i}`], compute, N * K),
  );
  const isServed = compute === 'bf16' && K % 16 === 0 && N % 32 === 0;
  return partsBytes(...copies, isServed ? 0 : sum);
}

type SwigluContext = WorkspaceContext<'alpha' | 'bf16' | 'gelu'>;

/** swiglu of gate and up as one product gives them: x is [gate up]. */
export const swigluMergedOp = defineOp({
  name: 'swiglu_merged',
  inputs: { x: 'A[T,M]', ...lowRank },
  outputs: { y: 'A[T,N]' },
  attributes: ['alpha', 'bf16', 'gelu'],
  derive: halves,
  workspace,
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0, R = 0 }) => (6 + 2 * R) * T * N,
  backward: ({ graph, inputs: { x, ...added }, attributes, gradients: { y: dy }, gradientOf }) => {
    if (!dy) return {};
    const { dx } = graph.apply(swigluMergedBackwardOp, { dy, x, ...added }, attributes);
    const { low, factor0, factor1, copy0, copy1 } = added;
    if (!low) return { x: dx };
    const { alpha, bf16 } = attributes;
    const factors = { weight0: factor0, weight1: factor1, copy0, copy1 };
    const gradients = { gradient0: gradientOf('factor0'), gradient1: gradientOf('factor1') };
    const inner = { dy: dx, x: low, ...factors, ...gradients };
    return { x: dx, low: graph.apply(groupedLinearMergedBackwardOp, inner, { alpha, bf16 }).dx };
  },
});

/** dx is [dgate dup], of gate and up with what was added. */
export const swigluMergedBackwardOp = defineOp({
  name: 'swiglu_merged_backward',
  inputs: { dy: 'A[T,N]', x: 'A[T,M]', ...lowRank },
  outputs: { dx: 'A[T,M]' },
  attributes: ['alpha', 'bf16', 'gelu'],
  derive: halves,
  inPlace: { dx: ['x'] },
  tiles: true,
  workspace,
  flops: ({ T = 0, N = 0, R = 0 }) => (12 + 2 * R) * T * N,
});

/**
 * The projection is [T, 2N], gate before up. With activations in bfloat16 its products are added on the way; in float32, which no
 * kernel does on the way, they are added first.
 */
export function swigluMerged(projection: MergedProjection, activation: GateActivation = 'silu'): Tensor {
  const graph = graphOf(projection.y);
  const { added, y } = projection;
  const gelu = isGelu(activation);
  if (!added || y.dtype !== 'bf16')
    return graph.apply(swigluMergedOp, { x: completeProjection(projection) }, { alpha: 0, bf16: 0, gelu }).y;
  const { x: low, members, alpha, bf16 } = added;
  const [first, second] = members;
  const factors = { factor0: first?.weight, factor1: second?.weight, copy0: first?.copy, copy1: second?.copy };
  return graph.apply(swigluMergedOp, { x: y, low, ...factors }, { alpha, bf16: bf16 ? 1 : 0, gelu }).y;
}
