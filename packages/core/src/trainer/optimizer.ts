import {
  adamw8bitOp,
  adamwOp,
  clipScaleOp,
  type Graph,
  momentBlock,
  squareSumOp,
  type Tensor,
  type Variables,
} from '@anneal/kernels';

export interface AdamwOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 0: gradients are not clipped. */
  readonly maxGradNorm: number;
  /** Of an element of each moment. */
  readonly momentBits: MomentBits;
  /** Whether a parameter decays; transformers' Trainer leaves out norms and biases. */
  readonly decays: (parameter: Tensor) => boolean;
}

export type MomentBits = 32 | 8;

/** As recipes name it. */
export type Optimizer = 'adamw_torch' | 'adamw_8bit';

export function momentBitsOf(optimizer: Optimizer): MomentBits {
  return optimizer === 'adamw_8bit' ? 8 : 32;
}

/** Parameters that are updated alike, with their gradients and moments: each a flat tensor over all members, in one order. */
export interface ParameterGroup {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** In bfloat16; null where products read the parameters themselves. */
  readonly copy: Tensor | null;
  readonly moments: Moments;
  readonly weightDecay: number;
}

type Moments =
  | { readonly bits: 32; readonly m: Tensor; readonly v: Tensor }
  | { readonly bits: 8; readonly m: Tensor; readonly mAbsmax: Tensor; readonly v: Tensor; readonly vAbsmax: Tensor };

/** Parameters with fewer elements keep moments in float32: bitsandbytes' min_8bit_size. */
const leastElementsIn8Bits = 4096;

/** Extents cross the native boundary as 32-bit integers. */
const maxGroupElements = 2 ** 30;

export function parameterGroups(
  variables: Variables,
  parameters: readonly Tensor[],
  { decays, weightDecay: rate, momentBits }: AdamwOptions,
  copies: boolean,
): ParameterGroup[] {
  const bitsOf = (parameter: Tensor) => (elementsOf(parameter) < leastElementsIn8Bits ? 32 : momentBits);
  const alike = [true, false].flatMap((decay) =>
    ([32, 8] as const).flatMap((bits) => {
      const members = parameters.filter((parameter) => decays(parameter) === decay && bitsOf(parameter) === bits);
      return pieces(variables, members).map((piece) => ({ members: piece, bits, weightDecay: decay ? rate : 0 }));
    }),
  );
  return alike.map(({ members, bits, weightDecay }, i) => {
    const flat = (name: string, of: (parameter: Tensor) => Tensor) => variables.group(`${name}.${i}`, members.map(of));
    return {
      parameter: flat('parameters', (parameter) => parameter),
      gradient: flat('gradients', (parameter) => variables.gradientOf(parameter)),
      copy: copies ? flat('copies', (parameter) => variables.copyOf(parameter)) : null,
      moments: momentsOf(variables, members, bits, i),
      weightDecay,
    };
  });
}

function momentsOf(variables: Variables, members: readonly Tensor[], bits: MomentBits, i: number): Moments {
  const flat = (part: string, dtype: 'f32' | 'u8', shapes: readonly number[][], alignment?: number) => {
    const moments = members.map(({ name }, member) =>
      variables.get(`optimizer/${name}.${part}`, { shape: shapes[member] ?? [], dtype, kind: 'optimizer' }),
    );
    return variables.group(`${part}.${i}`, moments, alignment);
  };
  if (bits === 32) {
    const shapes = members.map(({ shape }) => shape as number[]);
    return { bits, m: flat('m', 'f32', shapes), v: flat('v', 'f32', shapes) };
  }
  const blocks = members.map((parameter) => Math.ceil(elementsOf(parameter) / momentBlock));
  const codes = blocks.map((count) => [count, momentBlock]);
  // Parameters begin at whole blocks, so the absmaxes of one follow directly upon those of another.
  const absmaxes = blocks.map((count) => [count]);
  return {
    bits,
    m: flat('m', 'u8', codes),
    mAbsmax: flat('m_absmax', 'f32', absmaxes, 1),
    v: flat('v', 'u8', codes),
    vAbsmax: flat('v_absmax', 'f32', absmaxes, 1),
  };
}

/** In order, each with at most `maxGroupElements` elements, or a stack's more; none is empty. */
function pieces(variables: Variables, members: readonly Tensor[]): Tensor[][] {
  const found: Tensor[][] = [];
  let room = 0;
  for (const member of members) {
    const elements = elementsOf(member);
    if (found.length === 0 || (elements > room && !variables.continuesStack(member))) {
      found.push([]);
      room = maxGroupElements;
    }
    found.at(-1)?.push(member);
    room -= elements;
  }
  return found;
}

function elementsOf({ shape }: Tensor): number {
  return shape.reduce<number>((product, extent) => product * Number(extent), 1);
}

/**
 * Clips the gradients of all groups together and moves their parameters.
 * @param squareSum zero before
 * @returns the norm of the gradients before clipping
 */
export function updateGroups(
  graph: Graph,
  groups: readonly ParameterGroup[],
  squareSum: Tensor,
  { beta1, beta2, epsilon, maxGradNorm }: AdamwOptions,
): Tensor {
  const shared = { learningRate: graph.input('learningRate', 'f32', [1]), step: graph.input('step', 'i32', [1]) };
  let sum = squareSum;
  for (const { gradient } of groups) sum = graph.apply(squareSumOp, { x: gradient, sum }).total;
  const { norm, scale: clip } = graph.apply(clipScaleOp, { sum }, { maxNorm: maxGradNorm });
  for (const { parameter, gradient, moments, weightDecay } of groups) {
    const inputs = { parameter, gradient, clip, ...shared };
    const attributes = { beta1, beta2, epsilon, weightDecay };
    if (moments.bits === 32) {
      const { m, v } = moments;
      graph.apply(adamwOp, { ...inputs, m, v }, attributes);
    } else {
      const { m, mAbsmax, v, vAbsmax } = moments;
      graph.apply(adamw8bitOp, { ...inputs, m, mAbsmax, v, vAbsmax }, attributes);
    }
  }
  return norm;
}
