import { type CarriedState, placesOfStates } from '../../src/carriedStates.ts';
import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents, type Sizes, type WorkspaceContext } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { partsBytes } from '../../src/workspace.ts';

/** Tokens of a chunk: kChunk in cpu/recurrence.h, kWindow in cuda/windows.cuh. */
const CHUNK = 64;
/** kMostParts in state_space.cpu.cpp and in backward.cuh. */
const MOST_PARTS = 8;

type Groups = 'groups' | 'stateSize';

function valueColumns({ E, H, V, M, P }: Extents, { groups, stateSize }: Readonly<Record<Groups, number>>): Extents {
  const columns = Number(E) - 2 * groups * stateSize;
  const headSize = columns / Number(H);
  if (!Number.isInteger(headSize) || headSize < 1)
    throw new Error(`state_space: ${E} columns are not ${H} heads and twice ${groups} groups of ${stateSize}`);
  if (Number(H) % groups !== 0) throw new Error(`state_space: ${H} heads in ${groups} groups`);
  if (V !== undefined && Number(V) !== columns)
    throw new Error(`state_space: ${V} columns where heads have ${columns}`);
  if (M !== undefined && (Number(M) % (Number(H) * stateSize) !== 0 || Number(P) !== headSize))
    throw new Error(`state_space: states of [${M},${P}] for ${H} heads of [${stateSize},${headSize}]`);
  return { V: columns, N: stateSize };
}

/** Floats of a head's part of a chunk, as chunk.h lays them out. */
function chunkFloats(stateSize: number, headSize: number): number {
  return CHUNK * (4 * stateSize + 2 * headSize + 2 * CHUNK + 4);
}

/** As Scratch in forward.cuh takes its parts. */
function cudaForwardParts(
  { T = 0, H = 0, V = 0, N = 0 }: Sizes,
  { groups }: Readonly<Record<Groups, number>>,
  windows = Math.ceil(T / CHUNK),
) {
  return [4 * windows * V * N, 4 * windows * H, 4 * windows * groups * CHUNK ** 2];
}

function forwardBytes(sizes: Sizes, { attributes, device }: WorkspaceContext<Groups>): number {
  if (device === 'cuda') return partsBytes(...cudaForwardParts(sizes, attributes));
  const { H = 0, V = 0, N = 0 } = sizes;
  return 4 * H * (chunkFloats(N, V / H) + (N * V) / H);
}

/** On a GPU each sequence begins a window. */
function cachedBytes(sizes: Sizes, context: WorkspaceContext<Groups>): number {
  const { T = 0, Q = 0 } = sizes;
  if (context.device !== 'cuda' || !context.dtypes['slots']) return forwardBytes(sizes, context);
  return partsBytes(...cudaForwardParts(sizes, context.attributes, Math.floor(T / CHUNK) + Q));
}

/** The states at the beginnings of chunks are computed again: no layer keeps them. */
function backwardBytes(sizes: Sizes, { attributes, device }: WorkspaceContext<Groups>): number {
  const { T = 0, H = 0, V = 0, N = 0 } = sizes;
  const { groups } = attributes;
  if (device === 'cuda') return cudaBackwardBytes(sizes, attributes);
  const headSize = V / H;
  const states = (Math.ceil(T / CHUNK) + 4) * N * headSize;
  const slopes = CHUNK * (2 * N + 3 * headSize + CHUNK);
  const parts = groups * Math.min(H / groups, MOST_PARTS);
  return 4 * parts * (T * 2 * N + states + chunkFloats(N, headSize) + slopes);
}

/** As `runBackward` in backward.cuh takes its parts. */
function cudaBackwardBytes(sizes: Sizes, attributes: Readonly<Record<Groups, number>>): number {
  const { T = 0, H = 0, N = 0 } = sizes;
  const parts = Math.min(H / attributes.groups, MOST_PARTS);
  const windows = Math.ceil(T / CHUNK);
  const [states = 0, carried = 0, scores = 0] = cudaForwardParts(sizes, attributes);
  const dbc = 4 * parts * T * attributes.groups * 2 * N;
  return partsBytes(states, carried, scores, states, carried, dbc, parts * scores, 8 * 3 * windows * H);
}

const inputs = {
  xbc: 'A[T,E]',
  dt: 'A[T,H]',
  decay: 'f32[H]',
  shift: 'f32[H]',
  skip: 'f32[H]',
} as const;

/** Of every value of the state, token by token: decay, what is written, what is read. */
const flops = ({ T = 0, V = 0, N = 0 }: Sizes): number => 5 * T * V * N;

/**
 * A state space layer with one decay per head (Mamba 2; Dao, Gu 2024). [x B C] holds H heads of x, and `groups` of B and of C, each for as many heads.
 * With step = softplus(dt + shift) and g = -e^decay · step, each head has a state S of [stateSize, V / H], token by token and from S = 0 at the
 * beginning of each document: S ← e^g S + B (step · x)ᵀ; y = Sᵀ C + skip · x; in chunks of 64 tokens.
 */
export const stateSpaceOp = defineOp({
  name: 'state_space',
  inputs: { ...inputs, cuSeqlens: 'i32[S]' },
  outputs: { y: 'A[T,V]' },
  attributes: ['groups', 'stateSize'],
  derive: valueColumns,
  workspace: forwardBytes,
  flops,
  backward: ({ graph, inputs: given, attributes, gradients: { y: dy }, needs, gradientOf }) => {
    if (!dy) return {};
    const trained = {
      ...(needs('decay') && { decayGradient: gradientOf('decay') }),
      ...(needs('shift') && { shiftGradient: gradientOf('shift') }),
      ...(needs('skip') && { skipGradient: gradientOf('skip') }),
    };
    const { dxbc, ddt } = graph.apply(stateSpaceBackwardOp, { dy, ...given, ...trained }, attributes);
    return { xbc: dxbc, dt: ddt };
  },
});

/** Where they are trained, the gradients of decay, shift and skip are added to. */
export const stateSpaceBackwardOp = defineOp({
  name: 'state_space_backward',
  inputs: {
    dy: 'A[T,V]',
    ...inputs,
    cuSeqlens: 'i32[S]',
    decayGradient: 'f32[H]?',
    shiftGradient: 'f32[H]?',
    skipGradient: 'f32[H]?',
  },
  outputs: {
    dxbc: 'A[T,E]',
    ddt: 'A[T,H]',
    decayTotal: 'f32[H]?',
    shiftTotal: 'f32[H]?',
    skipTotal: 'f32[H]?',
  },
  updates: { decayTotal: 'decayGradient', shiftTotal: 'shiftGradient', skipTotal: 'skipGradient' },
  attributes: ['groups', 'stateSize'],
  derive: valueColumns,
  workspace: backwardBytes,
  flops: (sizes) => 3 * flops(sizes),
});

/** The same for the newest tokens of sequences; `state` holds S of every head of each slot. `slots` as src/carriedStates.ts says. */
export const stateSpaceCachedOp = defineOp({
  name: 'state_space_cached',
  inputs: { ...inputs, state: 'f32[M,P]', ...placesOfStates },
  outputs: { y: 'A[T,V]', next: 'f32[M,P]' },
  updates: { next: 'state' },
  attributes: ['groups', 'stateSize'],
  derive: valueColumns,
  workspace: cachedBytes,
  flops,
});

export interface StateSpaceInputs {
  /** [T, V + 2 · groups · stateSize] */
  readonly xbc: Tensor;
  /** [T, H] */
  readonly dt: Tensor;
  /** [H] */
  readonly decay: Tensor;
  readonly shift: Tensor;
  readonly skip: Tensor;
}

export interface StateSpaceOptions {
  readonly groups: number;
  readonly stateSize: number;
}

/** Of packed documents: [T, V]. */
export function stateSpace(given: StateSpaceInputs, cuSeqlens: Tensor, options: StateSpaceOptions): Tensor {
  return graphOf(given.xbc).apply(stateSpaceOp, { ...given, cuSeqlens }, { ...options }).y;
}

/** Of the newest tokens of sequences; `state`, [H · stateSize, V / H] of each slot, goes on with them. */
export function stateSpaceCached(given: StateSpaceInputs, carried: CarriedState, options: StateSpaceOptions): Tensor {
  return graphOf(given.xbc).apply(stateSpaceCachedOp, { ...given, ...carried }, { ...options }).y;
}
