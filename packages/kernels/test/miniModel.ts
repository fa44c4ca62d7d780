import { addBias } from '../ops/add_bias/op.ts';
import { attention } from '../ops/attention/op.ts';
import { dropout } from '../ops/dropout/op.ts';
import { embedding } from '../ops/embedding/op.ts';
import { linear } from '../ops/linear/op.ts';
import { rmsNorm } from '../ops/rms_norm/op.ts';
import { type RopeTable, rope, ropeTable } from '../ops/rope/op.ts';
import { swiglu } from '../ops/swiglu/op.ts';
import { integer, randomFrom } from '../src/cases/numbers.ts';
import type { Bounds, Tensor } from '../src/tensor.ts';
import { type Batch, Problem, someLabels } from './problem.ts';

export interface MiniModelOptions {
  readonly layers: number;
  /** Low-rank factors on every linear are trained instead of the weights. */
  readonly lora: boolean;
  /** The head is the embedding table. */
  readonly tied: boolean;
  readonly dropout: number;
  /** Columns between the products of the MLP. */
  readonly wide?: number;
  readonly bounds: Partial<Bounds>;
}

const heads = { heads: 4, kvHeads: 2, headSize: 4 };
const D = 16;
const V = 23;

/** A decoder with everything that models are made of: biases, norms of heads, rotations, residuals, LoRA, packed documents. */
export function miniModel({ layers, lora, tied, dropout: rate, wide: F = 20, bounds }: MiniModelOptions): Problem {
  const p = new Problem(bounds);
  const { graph } = p;
  const kind = lora ? 'weight' : 'parameter';
  const seed = rate > 0 ? graph.input('seed', 'i32', [2]) : null;
  let streams = 0;

  const project = (name: string, x: Tensor, rows: number, columns: number, plus?: Tensor): Tensor => {
    const weight = p.variable(name, [rows, columns], kind, { spread: columns ** -0.5 });
    const y = linear(x, weight, { bf16: false, plus });
    if (!lora) return y;
    const a = p.variable(`${name}.A`, [3, columns], 'parameter', { spread: columns ** -0.5 });
    const b = p.variable(`${name}.B`, [rows, 3], 'parameter', { spread: 0.3 });
    const input = seed ? dropout(x, seed, rate, streams++) : x;
    return linear(linear(input, a, { bf16: false }), b, { bf16: false, alpha: 2, plus: y });
  };
  const norm = (name: string, x: Tensor, size: number): Tensor =>
    rmsNorm(x, p.variable(name, [size], kind, { mean: 1, spread: 0.2 }), 1e-5);
  const positions = graph.input('positions', 'i32', ['T']);
  const table = ropeTable(positions, p.variable('inverse', [heads.headSize / 2], 'state', { spread: 0.5 }), 1);

  const selfAttention = (name: string, x: Tensor, residual: Tensor, angles: RopeTable): Tensor => {
    const [Q, K] = [heads.heads * heads.headSize, heads.kvHeads * heads.headSize];
    const q = addBias(project(`${name}.q`, x, Q, D), p.variable(`${name}.q.bias`, [Q], kind));
    const k = norm(`${name}.k_norm`, project(`${name}.k`, x, K, D), heads.headSize);
    const v = project(`${name}.v`, x, K, D);
    const options = { ...heads, scale: heads.headSize ** -0.5, window: 5, softCap: 0, bf16: false };
    const out = attention(rope(q, angles), rope(k, angles), v, graph.input('cuSeqlens', 'i32', ['S']), options);
    return project(`${name}.o`, out, D, Q, residual);
  };

  const embed = p.variable('embed', [V, D], kind);
  let h = embedding(graph.input('tokens', 'i32', ['T']), embed);
  for (let layer = 0; layer < layers; layer++) {
    graph.layer = layer;
    h = selfAttention(`${layer}.attention`, norm(`${layer}.attention_norm`, h, D), h, table);
    const f = norm(`${layer}.mlp_norm`, h, D);
    const hidden = swiglu(project(`${layer}.gate`, f, F, D), project(`${layer}.up`, f, F, D));
    h = project(`${layer}.down`, hidden, D, F, h);
  }
  graph.layer = null;
  p.train(norm('final_norm', h, D), tied ? embed : p.variable('head', [V, D], kind, { spread: D ** -0.5 }), 'T');
  return p;
}

/** A batch of documents of these lengths. */
export function miniBatch(lengths: readonly number[], scale: number): Batch {
  const T = lengths.reduce((sum, length) => sum + length, 0);
  const random = randomFrom(T);
  const cuSeqlens = lengths.reduce<number[]>((ends, length) => [...ends, (ends.at(-1) as number) + length], [0]);
  return {
    extents: { T, S: cuSeqlens.length },
    inputs: {
      tokens: Array.from({ length: T }, () => integer(random, V)),
      positions: lengths.flatMap((length) => Array.from({ length }, (_, i) => i)),
      cuSeqlens,
      labels: someLabels(T, V),
      seed: [7, T],
      scale: [scale],
    },
  };
}
