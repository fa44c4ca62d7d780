import { type CarriedState, placesOfStates } from '../../src/carriedStates.ts';
import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents, type Sizes, type WorkspaceContext } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { partsBytes } from '../../src/workspace.ts';

/** Tokens of a chunk: kChunk in cpu/recurrence.h, kWindow in cuda/windows.cuh. */
const CHUNK = 64;
/** kHead in chunk_tokens.cuh. */
const CHUNK_HEAD = 128;

type Heads = 'keyHeads' | 'keySize';

function valueColumns({ E, H, V, M, C }: Extents, { keyHeads, keySize }: Readonly<Record<Heads, number>>): Extents {
  const columns = Number(E) - 2 * keyHeads * keySize;
  const valueSize = columns / Number(H);
  if (!Number.isInteger(valueSize) || valueSize < 1)
    throw new Error(`gated_delta: ${E} columns are not twice ${keyHeads} heads of ${keySize} and ${H} heads of values`);
  if (Number(H) % keyHeads !== 0) throw new Error(`gated_delta: ${H} heads share ${keyHeads} key heads`);
  if (V !== undefined && Number(V) !== columns)
    throw new Error(`gated_delta: ${V} columns where values have ${columns}`);
  if (M !== undefined && (Number(M) % (Number(H) * keySize) !== 0 || Number(C) !== valueSize))
    throw new Error(`gated_delta: states of [${M},${C}] for ${H} heads of [${keySize},${valueSize}]`);
  return { V: columns, K: keySize };
}

/** Floats of a head's part of a chunk, as chunk.h lays them out. */
function chunkFloats(keySize: number, valueSize: number): number {
  return CHUNK * (4 * keySize + 3 * valueSize + 3 * CHUNK + 4);
}

function forwardBytes(sizes: Sizes, context: WorkspaceContext<Heads>): number {
  const onTensorCores = context.device === 'cuda' && context.dtypes.qkv === 'bf16';
  return onTensorCores ? chunkBytes(sizes, 'forward') : cachedBytes(sizes, context);
}

/** CUDA holds states in registers. */
function cachedBytes({ H = 0, V = 0, K = 0 }: Sizes, { device }: WorkspaceContext<Heads>): number {
  return device === 'cuda' ? 0 : 4 * H * (chunkFloats(K, V / H) + (K * V) / H);
}

/** The states at the beginnings of chunks are computed again: no layer keeps them. */
function backwardBytes(sizes: Sizes, { attributes, device, dtypes }: WorkspaceContext<Heads>): number {
  const { T = 0, H = 0, V = 0, K = 0 } = sizes;
  if (device === 'cuda')
    return Math.max(cudaBackwardBytes(sizes, attributes), dtypes.qkv === 'bf16' ? chunkBytes(sizes, 'backward') : 0);
  const valueSize = V / H;
  const slopes = CHUNK * (4 * K + 3 * valueSize + 2 * CHUNK + 1);
  const states = (Math.ceil(T / CHUNK) + 4) * K * valueSize;
  return 4 * attributes.keyHeads * (states + chunkFloats(K, valueSize) + slopes);
}

/** As `backward` in gated_delta.cuda.cu takes its parts: all heads go through the tokens together. */
function cudaBackwardBytes(
  { T = 0, H = 0, V = 0, K = 0 }: Sizes,
  { keyHeads }: Readonly<Record<Heads, number>>,
): number {
  const windows = Math.ceil(T / CHUNK);
  const states = 4 * Math.max(windows - 1, 0) * V * 4 * Math.ceil(K / 4);
  return partsBytes(4 * T * V, 4 * T * V, states, states, 4 * T * 2 * keyHeads * K, 8 * 2 * windows * H);
}

/** As chunks.cuda.cu takes its parts, of heads of 128 elements, which alone tensor cores serve. */
function chunkBytes({ T = 0, H = 0, V = 0, K = 0 }: Sizes, pass: 'forward' | 'backward'): number {
  if (K !== CHUNK_HEAD || V !== H * CHUNK_HEAD) return 0;
  const windows = Math.ceil(T / CHUNK);
  const [rows, states, factors] = [2 * T * V, 2 * windows * V * K, 16 * windows * CHUNK * H];
  const forward = [rows, rows, states, factors];
  return partsBytes(...forward, ...(pass === 'backward' ? [rows, rows, states, 8 * 2 * windows * H] : []));
}

const inputs = {
  qkv: 'A[T,E]',
  a: 'A[T,H]',
  b: 'A[T,H]',
  decay: 'f32[H]',
  shift: 'f32[H]',
} as const;

/** Of every value of the state, token by token: decay, what it says of the key, the change, what the query reads. */
const flops = ({ T = 0, V = 0, K = 0 }: Sizes): number => 7 * T * V * K;

/**
 * Attention with a state S of [keySize, valueSize] per head instead of keys and values. x = [q k v] holds `keyHeads` heads of queries and
 * of keys, and H of values, several of which may share a key. With β = σ(b), g = -e^decay · softplus(a + shift), k and q / √keySize of
 * length 1, token by token and from S = 0 at the beginning of each document:
 * S ← e^g S; S ← S + k (β (v - Sᵀk))ᵀ; out = Sᵀq; on the CPU in chunks of 64 tokens. Yang, Kautz, Hatamizadeh 2024 (Gated DeltaNet).
 */
export const gatedDeltaOp = defineOp({
  name: 'gated_delta',
  inputs: { ...inputs, cuSeqlens: 'i32[S]' },
  outputs: { out: 'A[T,V]' },
  attributes: ['keyHeads', 'keySize'],
  derive: valueColumns,
  workspace: forwardBytes,
  flops,
  backward: ({ graph, inputs: given, attributes, gradients: { out: dout }, needs, gradientOf }) => {
    if (!dout) return {};
    const trained = needs('decay') ? { decayGradient: gradientOf('decay'), shiftGradient: gradientOf('shift') } : {};
    const { dqkv, da, db } = graph.apply(gatedDeltaBackwardOp, { dout, ...given, ...trained }, attributes);
    return { qkv: dqkv, a: da, b: db };
  },
});

/** Where they are trained, the gradients of decay and shift are added to. */
export const gatedDeltaBackwardOp = defineOp({
  name: 'gated_delta_backward',
  inputs: { dout: 'A[T,V]', ...inputs, cuSeqlens: 'i32[S]', decayGradient: 'f32[H]?', shiftGradient: 'f32[H]?' },
  outputs: { dqkv: 'A[T,E]', da: 'A[T,H]', db: 'A[T,H]', decayTotal: 'f32[H]?', shiftTotal: 'f32[H]?' },
  updates: { decayTotal: 'decayGradient', shiftTotal: 'shiftGradient' },
  attributes: ['keyHeads', 'keySize'],
  derive: valueColumns,
  workspace: backwardBytes,
  flops: (sizes) => 3 * flops(sizes),
});

/** The same for the newest tokens of sequences; `state` holds S of every head of each slot. `slots` as src/carriedStates.ts says. */
export const gatedDeltaCachedOp = defineOp({
  name: 'gated_delta_cached',
  inputs: { ...inputs, state: 'f32[M,C]', ...placesOfStates },
  outputs: { out: 'A[T,V]', next: 'f32[M,C]' },
  updates: { next: 'state' },
  attributes: ['keyHeads', 'keySize'],
  derive: valueColumns,
  workspace: cachedBytes,
  flops,
});

export interface GatedDeltaInputs {
  /** [T, 2 · keyHeads · keySize + V] */
  readonly qkv: Tensor;
  /** [T, H]: of the decay, and of how much a token changes. */
  readonly a: Tensor;
  readonly b: Tensor;
  /** [H] */
  readonly decay: Tensor;
  readonly shift: Tensor;
}

export interface GatedDeltaOptions {
  readonly keyHeads: number;
  readonly keySize: number;
}

/** Of packed documents: [T, V]. */
export function gatedDelta(given: GatedDeltaInputs, cuSeqlens: Tensor, options: GatedDeltaOptions): Tensor {
  return graphOf(given.qkv).apply(gatedDeltaOp, { ...given, cuSeqlens }, { ...options }).out;
}

/** Of the newest tokens of sequences; `state`, [H · keySize, V / H] of each slot, goes on with them. */
export function gatedDeltaCached(given: GatedDeltaInputs, carried: CarriedState, options: GatedDeltaOptions): Tensor {
  return graphOf(given.qkv).apply(gatedDeltaCachedOp, { ...given, ...carried }, { ...options }).out;
}
