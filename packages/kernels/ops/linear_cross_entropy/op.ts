import { graphOf } from '../../src/graph.ts';
import { defineOp, type Sizes, type WorkspaceContext } from '../../src/op.ts';
import { bytesOf, type Tensor } from '../../src/tensor.ts';
import { computeType, copyBytes, partsBytes } from '../../src/workspace.ts';

type Context = WorkspaceContext<'bf16' | 'chunkRows' | 'softCap'>;

/** Logits of a chunk, its gathered inputs and their gradients, as supervised_rows.h and .cuh lay them out. */
export function supervisedRowsWorkspace(sizes: Sizes, context: Context): number {
  const { R = 0, D = 0, V = 0 } = sizes;
  const rows = Math.min(context.attributes.chunkRows, R);
  if (context.device === 'cuda') return cudaWorkspace(rows, sizes, context);
  return 4 * (rows * V + 2 * rows * D) + 2 * 64;
}

function cudaWorkspace(rows: number, { D = 0, V = 0 }: Sizes, { attributes, dtypes }: Context): number {
  const { x = 'f32', weight } = dtypes;
  const compute = computeType(x, attributes.bf16);
  const logits = rows * Math.ceil(V / 64) * 64;
  const moved = partsBytes(bytesOf[compute] * rows * D, bytesOf[x] * rows * D);
  const copies = partsBytes(copyBytes(weight, compute, V * D), copyBytes(x, compute, logits));
  return partsBytes(bytesOf[x] * logits) + moved + copies;
}

/**
 * losses[r] = -log softmax(logits)[labels[t]] with t = rows[r]; loss += Σ losses. The logits are x[t]·weightᵀ or, where softCap is
 * not 0, softCap · tanh(x[t]·weightᵀ / softCap); those of unsupervised rows are never computed.
 */
export const linearCrossEntropyOp = defineOp({
  name: 'linear_cross_entropy',
  inputs: { x: 'A[T,D]', weight: 'f32|bf16[V,D]', labels: 'i32[T]', rows: 'i32[R]', loss: 'f64[1]' },
  outputs: { total: 'f64[1]', losses: 'f64[R]' },
  attributes: ['bf16', 'chunkRows', 'softCap'],
  updates: { total: 'loss' },
  workspace: supervisedRowsWorkspace,
  flops: ({ R = 0, D = 0, V = 0 }) => 2 * R * D * V,
});

/**
 * As above, and in the same sweep over the logits dx = scale · dloss/dx and, where weight is trained, gradient += scale · dloss/dweight:
 * the backward pass has nothing left to compute. Hsu et al. 2024 (Liger).
 */
export const linearCrossEntropyTrainingOp = defineOp({
  name: 'linear_cross_entropy_training',
  inputs: {
    x: 'A[T,D]',
    weight: 'f32|bf16[V,D]',
    labels: 'i32[T]',
    rows: 'i32[R]',
    scale: 'f32[1]',
    loss: 'f64[1]',
    gradient: 'f32[V,D]?',
  },
  outputs: { total: 'f64[1]', losses: 'f64[R]', dx: 'A[T,D]', gradientTotal: 'f32[V,D]?' },
  attributes: ['bf16', 'chunkRows', 'softCap'],
  updates: { total: 'loss', gradientTotal: 'gradient' },
  workspace: supervisedRowsWorkspace,
  flops: ({ R = 0, D = 0, V = 0 }) => 4 * R * D * V,
  backward: ({ outputs: { dx } }) => ({ x: dx }),
});

export interface CrossEntropyInputs {
  readonly x: Tensor;
  readonly weight: Tensor;
  /** i32[T]: the id each position should predict, or -1. */
  readonly labels: Tensor;
  /** i32[R]: the positions with a label, ascending. */
  readonly rows: Tensor;
  /** f64[1], summed over calls. */
  readonly loss: Tensor;
}

export interface CrossEntropyOptions {
  readonly bf16: boolean;
  /** Supervised rows whose logits exist at one time. */
  readonly logitRows: number;
  /** 0 for no cap. */
  readonly softCap: number;
}

export interface CrossEntropy {
  /** f64[1]: `loss` after the call. */
  readonly total: Tensor;
  /** f64[R]: of each supervised position. */
  readonly losses: Tensor;
}

export function linearCrossEntropy(inputs: CrossEntropyInputs, options: CrossEntropyOptions): CrossEntropy {
  return graphOf(inputs.x).apply(linearCrossEntropyOp, { ...inputs }, attributesOf(options));
}

/** `scale` is f32[1]: 1 / target tokens of the whole accumulated batch. */
export function linearCrossEntropyTraining(
  inputs: CrossEntropyInputs & { scale: Tensor },
  options: CrossEntropyOptions,
): CrossEntropy {
  const graph = graphOf(inputs.x);
  const gradient = inputs.weight.kind === 'parameter' ? graph.variables.gradientOf(inputs.weight) : undefined;
  return graph.apply(linearCrossEntropyTrainingOp, { ...inputs, gradient }, attributesOf(options));
}

export function attributesOf({ bf16, logitRows, softCap }: CrossEntropyOptions) {
  return { bf16: bf16 ? 1 : 0, chunkRows: logitRows, softCap };
}
