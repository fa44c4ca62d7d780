import { describe, expect, test } from 'vitest';
import { addOp } from '../ops/add/op.ts';
import { attentionBackwardOp, attentionOp } from '../ops/attention/op.ts';
import { attentionCachedOp, cacheWriteOp } from '../ops/attention_cached/op.ts';
import { expertColumnSquaresOp } from '../ops/column_squares/op.ts';
import { embeddingBackwardOp, embeddingOp } from '../ops/embedding/op.ts';
import { expertAddBiasBackwardOp } from '../ops/expert_add_bias/op.ts';
import { expertRouteBackwardOp } from '../ops/expert_route/op.ts';
import { expertRouteSigmoidBackwardOp } from '../ops/expert_route_sigmoid/op.ts';
import { gatedDeltaBackwardOp, gatedDeltaOp } from '../ops/gated_delta/op.ts';
import { gatherRowsOp } from '../ops/gather_rows/op.ts';
import { linearCrossEntropyOp, linearCrossEntropyTrainingOp } from '../ops/linear_cross_entropy/op.ts';
import { ropeOp } from '../ops/rope/op.ts';
import {
  shortConvBackwardBiasOp,
  shortConvBackwardInputOp,
  shortConvBackwardWeightOp,
  shortConvOp,
} from '../ops/short_conv/op.ts';
import { stateSpaceBackwardOp, stateSpaceOp } from '../ops/state_space/op.ts';
import { putRowsOp, takeRowsOp } from '../ops/trained_rows/op.ts';
import { zeroOp } from '../ops/zero/op.ts';
import { cpuDevice, cudaDevices, type Device, nativeName } from '../src/device.ts';
import { Engine, type HostArray } from '../src/engine.ts';
import { Graph } from '../src/graph.ts';
import type { Op } from '../src/op.ts';
import { compile } from '../src/plan.ts';
import { type DType, elementCount } from '../src/tensor.ts';
import { Variables } from '../src/variables.ts';

const device = cpuDevice({ threads: 2 });
const bounds = { T: 8, S: 4, N: 1 };

/** Applies an op to inputs of these shapes, zero where no values are given; updated and bf16 ones are variables. */
async function apply(
  op: unknown,
  inputs: Record<string, { dtype: DType; shape: number[]; values?: number[] }>,
  attributes: Record<string, number> = {},
  on: Device = device,
): Promise<unknown> {
  const anyOp = op as Op;
  const variables = new Variables();
  const graph = new Graph('program', variables);
  const updated = new Set(Object.values(anyOp.updates ?? {}));
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [
      name,
      updated.has(name) || dtype === 'bf16'
        ? variables.get(name, { shape, dtype, kind: 'state' })
        : graph.input(name, dtype, shape),
    ]),
  );
  graph.apply(anyOp, tensors, attributes);
  const engine = new Engine(compile([graph], { bounds, activations: 'keep', device: on }), on);
  const values = [...graph.inputs.keys()].map((name): [string, HostArray] => {
    const { dtype, shape, values: given } = inputs[name] as { dtype: DType; shape: number[]; values?: number[] };
    const all = given ?? Array.from({ length: elementCount(shape, bounds) }, () => 0);
    return [name, dtype === 'i32' ? Int32Array.from(all) : Float32Array.from(all)];
  });
  try {
    return await engine.run([{ program: 'program', extents: {}, inputs: Object.fromEntries(values) }]);
  } finally {
    await engine.dispose();
  }
}

const f32 = (...shape: number[]) => ({ dtype: 'f32' as const, shape });
const f64 = (...shape: number[]) => ({ dtype: 'f64' as const, shape });
const i32 = (...values: number[]) => ({ dtype: 'i32' as const, shape: [values.length], values });
const heads = { heads: 2, kvHeads: 1, headSize: 4, scale: 1, window: 0, softCap: 0 };

describe('values that kernels cannot use end in an Error with the name of the op', () => {
  test.each([[-1], [5], [2 ** 31 - 1], [-(2 ** 31)]])('token %i of a vocabulary of 5', async (id) => {
    const outside = 'a token id lies outside the vocabulary';
    await expect(apply(embeddingOp, { tokens: i32(0, id), weight: f32(5, 3) })).rejects.toThrow(
      `embedding: ${outside}`,
    );
    await expect(
      apply(embeddingBackwardOp, { tokens: i32(0, id), dy: f32(2, 3), gradient: f32(5, 3) }),
    ).rejects.toThrow(`embedding_backward: ${outside}`);
    await expect(apply(gatherRowsOp, { x: f32(5, 3), rows: i32(id) })).rejects.toThrow(
      'gather_rows: a row index is out of range',
    );
    const rows = { from: f32(5, 3), rows: i32(id), into: f32(1, 3) };
    await expect(apply(takeRowsOp, rows)).rejects.toThrow('take_rows: a trained row lies outside');
    const back = { ...rows, from: rows.into, into: rows.from };
    await expect(apply(putRowsOp, back)).rejects.toThrow('put_rows: a trained row lies outside');
  });

  test.each([[-1], [3]])('expert %i of 3', async (expert) => {
    const chosen = { dtype: 'i32' as const, shape: [2, 2], values: [0, 1, 2, expert] };
    const inputs = { dgates: f32(2, 2), logits: f32(2, 3), gates: f32(2, 2), experts: chosen };
    const outside = 'a token goes to an expert that is not there';
    await expect(apply(expertRouteBackwardOp, inputs, { normalized: 0 })).rejects.toThrow(
      `expert_route_backward: ${outside}`,
    );
    await expect(apply(expertRouteSigmoidBackwardOp, inputs, { normalized: 0, scale: 1 })).rejects.toThrow(
      `expert_route_sigmoid_backward: ${outside}`,
    );
  });

  test.each(
    [device, ...cudaDevices().devices].flatMap((on) =>
      [
        [1, 2, 4],
        [0, 2, 3],
        [0, 5, 4],
        [0, -1, 4],
      ].map((offsets) => ({ name: nativeName(on), on, offsets })),
    ),
  )('offsets $offsets of two experts with 4 rows on $name', async ({ on, offsets }) => {
    for (const [op, given] of [
      [expertColumnSquaresOp, { x: f32(4, 3), offsets: i32(...offsets), sums: f32(6) }],
      [expertAddBiasBackwardOp, { dy: f32(4, 3), offsets: i32(...offsets), gradient: f32(6) }],
    ] as const)
      await expect(apply(op, given, {}, on)).rejects.toThrow(
        on.kind === 'cpu' ? `${op.name}: the experts' offsets do not ascend` : 'a row index is out of range',
      );
  });

  test('a label beyond the vocabulary', async () => {
    const inputs = { x: f32(2, 3), weight: f32(5, 3), labels: i32(4, 5), rows: i32(0, 1), loss: f64(1) };
    const options = { bf16: 0, chunkRows: 128, softCap: 0 };
    await expect(apply(linearCrossEntropyOp, inputs, options)).rejects.toThrow('linear_cross_entropy: a label');
    await expect(apply(linearCrossEntropyTrainingOp, { ...inputs, scale: f32(1) }, options)).rejects.toThrow(
      'linear_cross_entropy_training: a label',
    );
  });

  test.each([
    [[0, 2, 5], 'does not run from 0'],
    [[1, 2, 4], 'does not run from 0'],
    [[0, 3], 'does not run from 0'],
    [[4], 'does not run from 0'],
    [[0, 5, 4], 'is not ascending'],
    [[0, -3, 4], 'is not ascending'],
  ])('cuSeqlens %j of 4 tokens', async (cuSeqlens, problem) => {
    const inputs = { q: f32(4, 8), k: f32(4, 4), v: f32(4, 4), cuSeqlens: i32(...cuSeqlens) };
    await expect(apply(attentionOp, inputs, { ...heads, bf16: 0 })).rejects.toThrow(`attention: cuSeqlens ${problem}`);
    const backward = { ...inputs, out: f32(4, 8), lse: f32(2, 4), dout: f32(4, 8) };
    await expect(apply(attentionBackwardOp, backward, { ...heads, bf16: 0 })).rejects.toThrow(
      `attention_backward: cuSeqlens ${problem}`,
    );
    const conv = { x: f32(4, 3), weight: f32(3, 1, 2), cuSeqlens: i32(...cuSeqlens) };
    const slopes = { dy: f32(4, 3), ...conv };
    for (const [op, given] of [
      [shortConvOp, conv],
      [shortConvBackwardInputOp, slopes],
      [shortConvBackwardWeightOp, { ...slopes, gradient: f32(3, 1, 2) }],
      [shortConvBackwardBiasOp, { ...slopes, gradient: f32(3) }],
    ] as const)
      await expect(apply(op, given, { gated: 0 })).rejects.toThrow(`${op.name}: cuSeqlens ${problem}`);
    const gates = { a: f32(4, 1), b: f32(4, 1), decay: f32(1), shift: f32(1) };
    const delta = { qkv: f32(4, 3), ...gates, cuSeqlens: i32(...cuSeqlens) };
    for (const [op, given] of [
      [gatedDeltaOp, delta],
      [gatedDeltaBackwardOp, { dout: f32(4, 1), ...delta }],
    ] as const)
      await expect(apply(op, given, { keyHeads: 1, keySize: 1 })).rejects.toThrow(`${op.name}: cuSeqlens ${problem}`);
    const weights = { dt: f32(4, 1), decay: f32(1), shift: f32(1), skip: f32(1) };
    const states = { xbc: f32(4, 3), ...weights, cuSeqlens: i32(...cuSeqlens) };
    for (const [op, given] of [
      [stateSpaceOp, states],
      [stateSpaceBackwardOp, { dy: f32(4, 1), ...states }],
    ] as const)
      await expect(apply(op, given, { groups: 1, stateSize: 1 })).rejects.toThrow(`${op.name}: cuSeqlens ${problem}`);
  });

  test.each([
    [[2, 3], 'the context is longer than the cache'],
    [[-1, 0], 'the context is longer than the cache'],
    [[2 ** 31 - 1, 0], 'the context is longer than the cache'],
    [[0, 2], 'positions do not follow each other'],
  ])('positions %j in a cache of 3', async (positions, problem) => {
    const write = { x: f32(2, 4), cache: f32(3, 4), positions: i32(...positions) };
    await expect(apply(cacheWriteOp, write)).rejects.toThrow(`cache_write: ${problem}`);
    const read = { q: f32(2, 8), keys: f32(3, 4), values: f32(3, 4), positions: i32(...positions) };
    await expect(apply(attentionCachedOp, read, heads)).rejects.toThrow(`attention_cached: ${problem}`);
  });

  test('one token behind a cache of 3', async () => {
    const problem = 'the context is longer than the cache';
    const write = { x: f32(1, 4), cache: f32(3, 4), positions: i32(3) };
    await expect(apply(cacheWriteOp, write)).rejects.toThrow(`cache_write: ${problem}`);
    const read = { q: f32(1, 8), keys: f32(3, 4), values: f32(3, 4), positions: i32(3) };
    await expect(apply(attentionCachedOp, read, heads)).rejects.toThrow(`attention_cached: ${problem}`);
  });

  test('keys and values of different types', async () => {
    const values = { dtype: 'bf16' as const, shape: [3, 4] };
    await expect(
      apply(attentionCachedOp, { q: f32(1, 8), keys: f32(3, 4), values, positions: i32(0) }, heads),
    ).rejects.toThrow('attention_cached: keys and values have different types');
  });
});

describe('shapes that do not fit are refused when the graph is built', () => {
  test.each([
    [
      'other extents',
      addOp,
      { a: f32(2, 3), b: f32(2, 4) },
      {},
      'add: input b (b: f32[2,4]) has extent 4 where N is 3',
    ],
    ['another type', addOp, { a: f32(2, 3), b: { dtype: 'i32' as const, shape: [2, 3] } }, {}, 'is not f32'],
    ['a missing input', addOp, { a: f32(2, 3) }, {}, 'add: input b is missing'],
    [
      'heads that do not divide',
      ropeOp,
      { x: f32(2, 10), cos: f32(2, 2), sin: f32(2, 2) },
      { direction: 1, size: 4, interleaved: 0, first: 0 },
      'rope: rows of 10',
    ],
    [
      'heads',
      attentionOp,
      { q: f32(4, 8), k: f32(4, 8), v: f32(4, 8), cuSeqlens: i32(0, 4) },
      { ...heads, bf16: 0 },
      'attention: 2/1 heads of 4',
    ],
  ])('%s', async (_, op, inputs, attributes, message) => {
    await expect(apply(op, inputs as Parameters<typeof apply>[1], attributes)).rejects.toThrow(message);
  });

  test('heads larger than the kernels have room for', async () => {
    const wide = { q: f32(1, 513), k: f32(1, 513), v: f32(1, 513), cuSeqlens: i32(0, 1) };
    const options = { heads: 1, kvHeads: 1, headSize: 513, scale: 1, window: 0, softCap: 0, bf16: 0 };
    await expect(apply(attentionOp, wide, options)).rejects.toThrow('1 heads of 513 exceed 512 of 512');
    const many = { q: f32(1, 1026), k: f32(1, 2), v: f32(1, 2), cuSeqlens: i32(0, 1) };
    await expect(apply(attentionOp, many, { ...options, heads: 513, headSize: 2 })).rejects.toThrow('513 heads of 2');
  });

  test('as many heads as the kernels have room for, on one key head', async () => {
    const inputs = { q: f32(100, 1024), k: f32(100, 2), v: f32(100, 2), cuSeqlens: i32(0, 100) };
    const options = { heads: 512, kvHeads: 1, headSize: 2, scale: 1, window: 0, softCap: 0, bf16: 0 };
    await expect(apply(attentionOp, inputs, options)).resolves.toBeDefined();
  });

  test('an attribute that is left out', async () => {
    await expect(
      apply(attentionOp, { q: f32(4, 8), k: f32(4, 4), v: f32(4, 4), cuSeqlens: i32(0, 4) }, heads),
    ).rejects.toThrow('attention: attribute bf16 is no number');
  });

  test('an update of what is no variable', () => {
    const graph = new Graph('program', new Variables());
    const x = graph.input('x', 'f32', [3]);
    expect(() => graph.apply(zeroOp, { x })).toThrow('must be a variable');
  });
});
