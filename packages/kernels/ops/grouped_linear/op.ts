import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents, type Sizes, type WorkspaceContext } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { computeType, copyBytes, partsBytes, tokenParts } from '../../src/workspace.ts';

const places = [0, 1, 2] as const;
/** Members of one launch. */
export const MOST_MEMBERS = places.length;
const columns = ['N', 'M', 'L'] as const;
const present = (extents: Extents | Sizes) => places.filter((i) => extents[columns[i]] !== undefined);

function derive(extents: Extents): Extents {
  const { R, K, W } = extents;
  const members = present(extents);
  const expected = Number(K) * members.length;
  if (R !== expected) throw new Error(`grouped_linear: x has ${R} columns where its members read ${expected}`);
  const width = members.reduce<number>((sum, i) => sum + Number(extents[columns[i]]), 0);
  if (W !== undefined && W !== width)
    throw new Error(`grouped_linear: there are ${W} columns for members with ${width} in all`);
  return {};
}

/** A member's factor, [N, K], and its copy rounded to bfloat16 for products formed in it. */
const weights = {
  weight0: 'f32|bf16[N,K]',
  weight1: 'f32|bf16[M,K]?',
  weight2: 'f32|bf16[L,K]?',
  copy0: 'bf16[N,K]?',
  copy1: 'bf16[M,K]?',
  copy2: 'bf16[L,K]?',
} as const;
const gradients = { gradient0: 'f32[N,K]', gradient1: 'f32[M,K]?', gradient2: 'f32[L,K]?' } as const;
const totals = { total0: 'f32[N,K]', total1: 'f32[M,K]?', total2: 'f32[L,K]?' } as const;
const updates = { total0: 'gradient0', total1: 'gradient1', total2: 'gradient2' } as const;

const flops = (products: number) => (sizes: Sizes) => {
  const { T = 0, K = 0 } = sizes;
  const outputs = present(sizes).reduce<number>((sum, i) => sum + Number(sizes[columns[i]]), 0);
  return 2 * products * T * K * outputs;
};

/** On CUDA, copies of the weights that have not the type computed in. */
function weightCopies(sizes: Sizes, { dtypes, attributes }: WorkspaceContext<'alpha' | 'bf16'>): number[] {
  const compute = computeType(dtypes.x, attributes.bf16);
  return present(sizes).map((i) =>
    dtypes[`copy${i}`] === compute
      ? 0
      : copyBytes(dtypes[`weight${i}`], compute, (sizes[columns[i]] ?? 0) * (sizes.K ?? 0)),
  );
}

/** The sums that CUDA's own kernels leave to the second of them, as group.h divides the work; other kernels need none. */
function gradientSums(sizes: Sizes, { dtypes }: WorkspaceContext<'alpha' | 'bf16'>): number[] {
  const { T = 0, K = 0 } = sizes;
  const widths = present(sizes).map((i) => sizes[columns[i]] as number);
  if (dtypes.x !== 'bf16' || K % 16 !== 0 || widths.some((width) => width % 64 !== 0)) return [];
  const regions = widths.reduce((sum, width) => sum + Math.ceil(width / 256), 0);
  return [4 * regions * T * K, 4 * tokenParts(T, regions) * K * widths.reduce((sum, width) => sum + width, 0)];
}

const forwardWorkspace = (sizes: Sizes, context: WorkspaceContext<'alpha' | 'bf16'>): number =>
  context.device === 'cpu' ? 0 : partsBytes(...weightCopies(sizes, context));
const backwardWorkspace = (sizes: Sizes, context: WorkspaceContext<'alpha' | 'bf16'>): number =>
  context.device === 'cpu' ? 0 : partsBytes(...weightCopies(sizes, context), ...gradientSums(sizes, context));

/**
 * y_i = c_i + alpha · x_i · weight_iᵀ for up to three members, where x_i is the i-th block of K columns of x: what LoRA adds to
 * linears of one input, x being its product with all their A.
 */
export const groupedLinearOp = defineOp({
  name: 'grouped_linear',
  inputs: { x: 'A[T,R]', ...weights, c0: 'A[T,N]', c1: 'A[T,M]?', c2: 'A[T,L]?' },
  outputs: { y0: 'A[T,N]', y1: 'A[T,M]?', y2: 'A[T,L]?' },
  attributes: ['alpha', 'bf16'],
  derive,
  inPlace: { y0: ['c0'], y1: ['c1'], y2: ['c2'] },
  inPlaceMatters: true,
  workspace: forwardWorkspace,
  tiles: true,
  flops: flops(1),
  backward: ({ graph, inputs, attributes, gradients: { y0: dy0, y1: dy1, y2: dy2 }, gradientOf }) => {
    if (!dy0 || (inputs.weight1 && !dy1) || (inputs.weight2 && !dy2))
      throw new Error('grouped_linear: an output is not used');
    const { dx } = graph.apply(
      groupedLinearBackwardOp,
      { dy0, dy1, dy2, ...factorsOf(inputs), ...gradientsOf(inputs, gradientOf) },
      attributes,
    );
    return { x: dx, c0: dy0, ...(dy1 && { c1: dy1 }), ...(dy2 && { c2: dy2 }) };
  },
});

/** dx_i = alpha · dy_i · weight_i and gradient_i += alpha · dy_iᵀ · x_i: each dy_i is read once for both. */
export const groupedLinearBackwardOp = defineOp({
  name: 'grouped_linear_backward',
  inputs: { dy0: 'A[T,N]', dy1: 'A[T,M]?', dy2: 'A[T,L]?', x: 'A[T,R]', ...weights, ...gradients },
  outputs: { dx: 'A[T,R]', ...totals },
  attributes: ['alpha', 'bf16'],
  derive,
  updates,
  workspace: backwardWorkspace,
  tiles: true,
  flops: flops(2),
});

/** The same where the members' columns lie beside each other, as one product gives them: c and y are [c_0 c_1 c_2] and [y_0 y_1 y_2]. */
export const groupedLinearMergedOp = defineOp({
  name: 'grouped_linear_merged',
  inputs: { x: 'A[T,R]', ...weights, c: 'A[T,W]' },
  outputs: { y: 'A[T,W]' },
  attributes: ['alpha', 'bf16'],
  derive,
  inPlace: { y: ['c'] },
  inPlaceMatters: true,
  workspace: forwardWorkspace,
  tiles: true,
  flops: flops(1),
  backward: ({ graph, inputs, attributes, gradients: { y: dy }, gradientOf }) => {
    if (!dy) return {};
    const factors = { ...factorsOf(inputs), ...gradientsOf(inputs, gradientOf) };
    return { x: graph.apply(groupedLinearMergedBackwardOp, { dy, ...factors }, attributes).dx, c: dy };
  },
});

export const groupedLinearMergedBackwardOp = defineOp({
  name: 'grouped_linear_merged_backward',
  inputs: { dy: 'A[T,W]', x: 'A[T,R]', ...weights, ...gradients },
  outputs: { dx: 'A[T,R]', ...totals },
  attributes: ['alpha', 'bf16'],
  derive,
  updates,
  workspace: backwardWorkspace,
  tiles: true,
  flops: flops(2),
});

type Factors = Readonly<Record<'x' | keyof typeof weights, Tensor>>;

function factorsOf({ x, weight0, weight1, weight2, copy0, copy1, copy2 }: Factors): Factors {
  return { x, weight0, weight1, weight2, copy0, copy1, copy2 };
}

function gradientsOf(
  { weight1, weight2 }: { readonly weight1?: Tensor; readonly weight2?: Tensor },
  gradientOf: (input: 'weight0' | 'weight1' | 'weight2') => Tensor,
) {
  return {
    gradient0: gradientOf('weight0'),
    gradient1: weight1 && gradientOf('weight1'),
    gradient2: weight2 && gradientOf('weight2'),
  };
}

export interface GroupFactor {
  /** [N, K] */
  readonly weight: Tensor;
  /** The weight rounded to bfloat16, where products are formed in it. */
  readonly copy?: Tensor | undefined;
}

export interface GroupMember extends GroupFactor {
  /** What is added to: [T, N]. */
  readonly plus: Tensor;
}

type UpToThree<Item> = readonly [Item, Item?, Item?];

export interface GroupOptions {
  readonly alpha: number;
  readonly bf16: boolean;
}

function inputsOf(x: Tensor, [first, second, third]: UpToThree<GroupFactor>) {
  return {
    x,
    weight0: first.weight,
    weight1: second?.weight,
    weight2: third?.weight,
    copy0: first.copy,
    copy1: second?.copy,
    copy2: third?.copy,
  };
}

/** One to three members; x: [T, K · members]. Returns the sums [T, N] in their order. */
export function groupedLinear(x: Tensor, members: UpToThree<GroupMember>, { alpha, bf16 }: GroupOptions): Tensor[] {
  const [first, second, third] = members;
  const { y0, y1, y2 } = graphOf(x).apply(
    groupedLinearOp,
    { ...inputsOf(x, members), c0: first.plus, c1: second?.plus, c2: third?.plus },
    { alpha, bf16: bf16 ? 1 : 0 },
  ) as { y0: Tensor; y1?: Tensor; y2?: Tensor };
  return [y0, ...(y1 ? [y1] : []), ...(y2 ? [y2] : [])];
}

/**
 * The outputs of several linears of one input beside each other, [T, all N], and what is still to be added to them: the ops that
 * take it read them once for both.
 */
export interface MergedProjection {
  readonly y: Tensor;
  readonly added: (GroupOptions & { readonly x: Tensor; readonly members: readonly GroupFactor[] }) | null;
}

/** The sum as a tensor. */
export function completeProjection({ y, added }: MergedProjection): Tensor {
  if (!added) return y;
  const { x, members, alpha, bf16 } = added;
  const inputs = { ...inputsOf(x, members as UpToThree<GroupFactor>), c: y };
  return graphOf(x).apply(groupedLinearMergedOp, inputs, { alpha, bf16: bf16 ? 1 : 0 }).y;
}
