import { describe, expect, test } from 'vitest';
import { addOp } from '../ops/add/op.ts';
import { attentionBackwardOp, attentionOp } from '../ops/attention/op.ts';
import { attentionCachedOp, cacheWriteOp } from '../ops/attention_cached/op.ts';
import { embeddingBackwardOp, embeddingOp } from '../ops/embedding/op.ts';
import { gatherRowsOp } from '../ops/gather_rows/op.ts';
import { linear } from '../ops/linear/op.ts';
import { linearCrossEntropyOp, linearCrossEntropyTrainingOp } from '../ops/linear_cross_entropy/op.ts';
import { ropeOp } from '../ops/rope/op.ts';
import { zeroOp } from '../ops/zero/op.ts';
import { addon, cpuDevice, scratchOf } from '../src/addon.ts';
import { Engine, type HostArray, type ProgramCall } from '../src/engine.ts';
import { Graph, Variables } from '../src/graph.ts';
import type { Op } from '../src/op.ts';
import { compile } from '../src/plan.ts';
import { type DType, elementCount } from '../src/tensor.ts';

const device = cpuDevice({ threads: 2 });
const bounds = { T: 8, S: 4, N: 1 };

function engineOf(...graphs: Graph[]): Engine {
  return new Engine(compile(graphs, { bounds, activations: 'keep', scratch: scratchOf(device) }), device);
}

/** Applies an op to inputs of these shapes, zero where no values are given; updated and bf16 ones are variables. */
async function apply(
  op: unknown,
  inputs: Record<string, { dtype: DType; shape: number[]; values?: number[] }>,
  attributes: Record<string, number> = {},
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
  const engine = engineOf(graph);
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
const heads = { heads: 2, kvHeads: 1, headSize: 4, scale: 1, window: 0 };

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
  });

  test('a target beyond the vocabulary', async () => {
    const inputs = { x: f32(2, 3), weight: f32(5, 3), targets: i32(4, 5), loss: f64(1) };
    const options = { bf16: 0, chunkRows: 128 };
    await expect(apply(linearCrossEntropyOp, inputs, options)).rejects.toThrow('linear_cross_entropy: a target id');
    await expect(apply(linearCrossEntropyTrainingOp, { ...inputs, scale: f32(1) }, options)).rejects.toThrow(
      'linear_cross_entropy_training: a target id',
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
    await expect(apply(attentionOp, inputs, heads)).rejects.toThrow(`attention: cuSeqlens ${problem}`);
    const backward = { ...inputs, out: f32(4, 8), lse: f32(2, 4), dout: f32(4, 8) };
    await expect(apply(attentionBackwardOp, backward, heads)).rejects.toThrow(
      `attention_backward: cuSeqlens ${problem}`,
    );
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
      { direction: 1 },
      'rope: rows of 10',
    ],
    [
      'heads',
      attentionOp,
      { q: f32(4, 8), k: f32(4, 8), v: f32(4, 8), cuSeqlens: i32(0, 4) },
      heads,
      'attention: 2/1 heads of 4',
    ],
  ])('%s', async (_, op, inputs, attributes, message) => {
    await expect(apply(op, inputs as Parameters<typeof apply>[1], attributes)).rejects.toThrow(message);
  });

  test('heads larger than the kernels have room for', async () => {
    const wide = { q: f32(1, 513), k: f32(1, 513), v: f32(1, 513), cuSeqlens: i32(0, 1) };
    const options = { heads: 1, kvHeads: 1, headSize: 513, scale: 1, window: 0 };
    await expect(apply(attentionOp, wide, options)).rejects.toThrow('heads of 513 exceed 512');
  });

  test('an update of what is no variable', () => {
    const graph = new Graph('program', new Variables());
    const x = graph.input('x', 'f32', [3]);
    expect(() => graph.apply(zeroOp, { x })).toThrow('must be a variable');
  });
});

/** A program of about 50 µs: y = x · weightᵀ for a row of T. */
function multiplying(): { engine: Engine; call: ProgramCall } {
  const variables = new Variables();
  const graph = new Graph('multiply', variables);
  const weight = variables.get('weight', { shape: [512, 512], dtype: 'f32', kind: 'weight' });
  graph.result('y', linear(graph.input('x', 'f32', ['T', 512]), weight, { bf16: false }));
  variables.get('state', { shape: [2, 3], dtype: 'f32', kind: 'state' });
  const call = { program: 'multiply', extents: { T: 2 }, inputs: { x: new Float32Array(1024) } };
  return { engine: engineOf(graph), call };
}

describe('engine', () => {
  test('checks calls', async () => {
    const { engine, call } = multiplying();
    await expect(engine.run([{ ...call, program: 'other' }])).rejects.toThrow('no program other');
    await expect(engine.run([call], [['multiply', 'z']])).rejects.toThrow('has no result z');
    await expect(engine.run([{ ...call, inputs: {} }])).rejects.toThrow('lacks its input x');
    await expect(engine.run([{ ...call, extents: { T: 3 } }])).rejects.toThrow(
      '1024 values do not fill input x: f32[T,512]',
    );
    await expect(engine.run([{ ...call, inputs: { x: new Float64Array(1024) } }])).rejects.toThrow(
      'do not fill input x',
    );
    const tooMany = { ...call, extents: { T: 9 }, inputs: { x: new Float32Array(9 * 512) } };
    await expect(engine.run([tooMany])).rejects.toThrow("extent 9 exceeds the plan's 8");
    await expect(engine.run([{ ...call, extents: { T: 2, S: 5 } }])).rejects.toThrow("extent 5 exceeds the plan's 4");
    expect((await engine.run([call])).done).toBe(1);
    await engine.dispose();
  });

  test('checks writes', async () => {
    const { engine } = multiplying();
    await expect(engine.write('other', new Float32Array(1), 'f32')).rejects.toThrow('no variable other');
    await expect(engine.write('state', new Float32Array(7), 'f32')).rejects.toThrow('more values than state holds');
    await expect(engine.write('state', new Float32Array(1), 'f32', 6)).rejects.toThrow('more values');
    await expect(engine.write('state', new Float32Array(1), 'f32', -1)).rejects.toThrow('more values');
    await expect(engine.write('state', new Int32Array(1), 'i32')).rejects.toThrow('cannot be written');
    await engine.write('state', Float32Array.of(4, 5), 'f32', 4);
    expect([...(await engine.read('state'))]).toEqual([0, 0, 0, 0, 4, 5]);
    await engine.dispose();
  });

  test('does calls in the order in which they were made', async () => {
    const { engine, call } = multiplying();
    const order: number[] = [];
    const work = [engine.run([call, call]), engine.write('state', new Float32Array(6), 'f32'), engine.run([call])];
    await Promise.all(work.map((promise, i) => promise.then(() => order.push(i))));
    expect(order).toEqual([0, 1, 2]);
    await engine.dispose();
  });

  test('stops between two calls when cancelled, and runs again afterwards', async () => {
    const { engine, call } = multiplying();
    const calls = Array.from({ length: 10_000 }, () => call);
    const running = engine.run(calls);
    setTimeout(() => engine.cancel(), 0);
    const { done } = await running;
    expect(done).toBeLessThan(calls.length);
    engine.cancel();
    expect((await engine.run([call, call])).done, 'a cancel while nothing runs is forgotten').toBe(2);
    await engine.dispose();
  });

  test('is of no use once disposed of', async () => {
    const { engine, call } = multiplying();
    const running = engine.run([call]);
    const disposed = engine.dispose();
    expect((await running).done, 'what was called before still runs').toBe(1);
    await disposed;
    await expect(engine.run([call])).rejects.toThrow('has been disposed of');
    await expect(engine.read('state')).rejects.toThrow('has been disposed of');
    engine.cancel();
    await engine.dispose();
  });

  test('measures its ops when asked to', async () => {
    const { engine, call } = multiplying();
    engine.setProfiling(true);
    await engine.run([call, call]);
    expect(engine.takeProfile()).toEqual([{ op: 'linear', milliseconds: expect.any(Number), launches: 2 }]);
    expect(engine.takeProfile()).toEqual([]);
    await engine.dispose();
  });
});

describe('native boundary', () => {
  const { engine, call } = multiplying();
  const native = new (addon().NativeEngine)(engine.plan.encode(), device.isa);
  const x = new Uint8Array((call.inputs.x as Float32Array).buffer);
  const nativeCall = { program: 0, dims: Int32Array.of(2, 0, 0), inputs: [[0, x]] as [number, Uint8Array][] };

  test('refuses a second call while one is running', async () => {
    const running = native.run([nativeCall], []);
    for (const second of [
      () => native.run([], []),
      () => native.write(0, x, 0, 0),
      () => native.read(0),
      () => native.dispose(),
    ])
      expect(second).toThrow('busy');
    await running;
  });

  test('keeps a cancel that comes before the first call has begun', async () => {
    const running = native.run(
      Array.from({ length: 1000 }, () => nativeCall),
      [],
    );
    native.cancel();
    expect((await running).done).toBeLessThan(1000);
  });

  test('refuses indices out of range and wrong arguments', async () => {
    expect(() => native.run([{ ...nativeCall, program: 1 }], [])).toThrow('no such program');
    expect(() => native.run([nativeCall], [[1, 0]])).toThrow();
    expect(() => native.run([nativeCall], [[0, 1]])).toThrow();
    expect(() => native.run([{ ...nativeCall, dims: Int32Array.of(2) }], [])).toThrow('one extent for each');
    expect(() => native.read(2)).toThrow('no such variable');
    await expect(native.run([{ ...nativeCall, inputs: [[1, x]] }], [])).rejects.toThrow('unknown input');
    await expect(native.run([{ ...nativeCall, inputs: [[0, new Uint8Array(8 * 512 * 4 + 1)]] }], [])).rejects.toThrow(
      'larger than planned',
    );
    await expect(native.run([{ ...nativeCall, dims: Int32Array.of(-1, 0, 0) }], [])).rejects.toThrow('exceeds');
    expect((await native.run([nativeCall], [])).done).toBe(1);
  });

  test('refuses an unknown instruction set and what is no plan', () => {
    expect(() => new (addon().NativeEngine)(engine.plan.encode(), 'mmx')).toThrow('instruction set mmx');
    expect(() => new (addon().NativeEngine)(new Uint8Array(0), device.isa)).toThrow('plan: ends too early');
    expect(() => cpuDevice({ isa: 'mmx' })).toThrow('does not run mmx');
  });
});
