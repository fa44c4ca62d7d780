import type { Placement } from './addresses.ts';
import type { Graph, Node } from './graph.ts';

/**
 * One extent of a shape. Letters are extents that are only known when a program runs, bounded by the plan:
 * T tokens of the batch, S entries of cuSeqlens (documents + 1), N rows whose logits are wanted, C tokens
 * that are chosen from them, R supervised rows.
 */
export type Dim = number | RuntimeDim | Tile;
export type RuntimeDim = 'T' | 'S' | 'N' | 'C' | 'R';
/** The tokens from index · rows on, `rows` of them or as many as there are. */
export interface Tile {
  readonly index: number;
  readonly rows: number;
}
export const runtimeDims: readonly RuntimeDim[] = ['T', 'S', 'N', 'C', 'R'];

/** Element types, numbered as in native/dtype.h. */
export const dtypes = ['f32', 'bf16', 'i32', 'u8', 'f64'] as const;
export type DType = (typeof dtypes)[number];
/** Types that activations may have. */
export const activationTypes = ['f32', 'bf16'] as const;
export type ActivationType = (typeof activationTypes)[number];
export const bytesOf: Record<DType, number> = { f32: 4, bf16: 2, i32: 4, u8: 1, f64: 8 };

/**
 * What a tensor is for, which decides where it lives and in which line of the memory plan it is counted.
 * input and activation share the arena by liveness; all others persist and are shared by every program.
 */
export type TensorKind =
  | 'input'
  | 'activation'
  | 'weight' // frozen
  | 'parameter' // trained
  | 'copy' // of a parameter, rounded for products
  | 'gradient'
  | 'optimizer'
  | 'cache' // keys and values of earlier tokens
  | 'state'; // scalars and tables that outlive a call

export interface Tensor {
  readonly name: string;
  readonly shape: readonly Dim[];
  readonly dtype: DType;
  readonly kind: TensorKind;
  /** The graph it is computed in; none for variables, which all graphs of a plan share. */
  readonly graph: Graph | null;
  readonly producer: Node | null;
  /** Where an activation lies; beside the kernels if nothing is said. Where variables lie the plan decides. */
  readonly placement?: Placement;
  /** The tensor of which these are the rows of one tile; none where the tensor has bytes of its own. */
  readonly of?: Tensor;
}

export function isPersistent(tensor: Tensor): boolean {
  return tensor.graph === null;
}

/** Upper bounds of the runtime extents a plan is made for; of those that none of its programs has, none. */
export type Bounds = Readonly<Partial<Record<RuntimeDim, number>>>;

/** The tensor whose bytes these are. */
export function wholeOf(tensor: Tensor): Tensor {
  return tensor.of ?? tensor;
}

/** Where a tensor begins in `wholeOf` it, in bytes. */
export function startInWhole({ of, shape: [tokens, ...row], dtype }: Tensor): number {
  if (!of || typeof tokens !== 'object') return 0;
  return tokens.index * tokens.rows * row.reduce<number>((product, dim) => product * Number(dim), bytesOf[dtype]);
}

export function sizeOf(dim: Dim, bounds: Bounds): number {
  if (typeof dim === 'object') return Math.min(dim.rows, Math.max(0, sizeOf('T', bounds) - dim.index * dim.rows));
  const size = typeof dim === 'number' ? dim : bounds[dim];
  if (size === undefined) throw new Error(`there is no bound for the runtime extent ${dim}`);
  return size;
}

export function elementCount(shape: readonly Dim[], bounds: Bounds): number {
  return shape.reduce<number>((count, dim) => count * sizeOf(dim, bounds), 1);
}

export function byteLength(tensor: Tensor, bounds: Bounds): number {
  return elementCount(tensor.shape, bounds) * bytesOf[tensor.dtype];
}

export function describeTensor(tensor: Tensor): string {
  const shape = tensor.shape.map((dim) => (typeof dim === 'object' ? `T/${dim.index}` : dim));
  return `${tensor.name}: ${tensor.dtype}[${shape.join(',')}]`;
}
