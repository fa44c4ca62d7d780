import { describe, expect, test } from 'vitest';
import { linear } from '../ops/linear/op.ts';
import { addon } from '../src/addon.ts';
import { cpuDevice, nativeName } from '../src/device.ts';
import { Engine, type ProgramCall } from '../src/engine.ts';
import { Graph } from '../src/graph.ts';
import { compile } from '../src/plan.ts';
import { Variables } from '../src/variables.ts';

const device = cpuDevice({ threads: 2 });

/** A program of about 50 µs: y = x · weightᵀ for a row of T. */
function multiplying(): { engine: Engine; call: ProgramCall } {
  const variables = new Variables();
  const graph = new Graph('multiply', variables);
  const weight = variables.get('weight', { shape: [512, 512], dtype: 'f32', kind: 'weight' });
  graph.result('y', linear(graph.input('x', 'f32', ['T', 512]), weight, { bf16: false }));
  variables.get('state', { shape: [2, 3], dtype: 'f32', kind: 'state' });
  const call = { program: 'multiply', extents: { T: 2 }, inputs: { x: new Float32Array(1024) } };
  const options = { bounds: { T: 8, S: 4, N: 1 }, activations: 'keep', device } as const;
  return { engine: new Engine(compile([graph], options), device), call };
}

describe('engine', () => {
  test('checks calls', async () => {
    const { engine, call } = multiplying();
    await expect(engine.run([{ ...call, program: 'other' }])).rejects.toThrow('no program other');
    await expect(engine.run([{ ...call, results: ['z'] }])).rejects.toThrow('has no result z');
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
    await expect(engine.write('state', new Float32Array(7), 'f32', 0)).rejects.toThrow('more values than state holds');
    await expect(engine.write('state', new Float32Array(5), 'f32')).rejects.toThrow(
      '5 values for state, which holds 6',
    );
    await expect(engine.write('state', new Uint8Array(23), 'f32', 0)).rejects.toThrow('part of a value for state');
    await expect(engine.write('state', new Float32Array(1), 'f32', 6)).rejects.toThrow('more values');
    await expect(engine.write('state', new Float32Array(1), 'f32', -1)).rejects.toThrow('more values');
    await expect(engine.write('state', new Int32Array(6), 'i32')).rejects.toThrow('cannot be written');
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

  test('gives each run its own results, however many are on their way', async () => {
    const { engine, call } = multiplying();
    await engine.write('weight', Float32Array.of(1), 'f32', 0); // y[0] = x[0]
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const runs = numbers.map((first) => {
      const x = new Float32Array(1024);
      x[0] = first;
      return engine.run([{ ...call, inputs: { x }, results: ['y'] }]);
    });
    const failing = engine.run([{ ...call, extents: { T: 9 } }]);
    const after = engine.run([call]);
    const firsts = (await Promise.all(runs)).map(({ results }) => results[0]?.[0]);
    expect(firsts).toEqual(numbers);
    await expect(failing).rejects.toThrow('do not fill');
    expect((await after).done).toBe(1);
    await engine.dispose();
  });

  test('gives each call its own results, as many as its extents have', async () => {
    const { engine, call } = multiplying();
    await engine.write('weight', Float32Array.of(1), 'f32', 0);
    const calls = [1, 2].map((tokens) => {
      const x = new Float32Array(512 * tokens).fill(tokens, 0, 1);
      return { ...call, extents: { T: tokens }, inputs: { x }, results: ['y'] };
    });
    const { results } = await engine.run([...calls, call]);
    expect(results.map((y) => [y.length, y[0]])).toEqual(
      [1, 2].map((tokens) => [tokens * (results[0]?.length ?? 0), tokens]),
    );
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
  const native = new (addon().NativeEngine)(engine.plan.encode(), nativeName(device));
  const x = new Uint8Array((call.inputs.x as Float32Array).buffer);
  const nativeCall = {
    program: 0,
    dims: Int32Array.of(2, 0, 0, 0, 0),
    inputs: [[0, x]] as [number, Uint8Array][],
    results: [],
  };

  test('takes two runs at a time, and beside them nothing else', async () => {
    const running = [native.run([nativeCall]), native.run([nativeCall])];
    for (const another of [
      () => native.run([]),
      () => native.write(0, x, 0, 0),
      () => native.read(0),
      () => native.dispose(),
    ])
      expect(another).toThrow('busy');
    await Promise.all(running);
    const writing = native.write(0, x, 0, 0);
    expect(() => native.run([])).toThrow('busy');
    await writing;
  });

  test('keeps a cancel that comes before the first call has begun', async () => {
    const running = native.run(Array.from({ length: 1000 }, () => nativeCall));
    native.cancel();
    expect((await running).done).toBeLessThan(1000);
  });

  test('refuses indices out of range and wrong arguments', async () => {
    expect(() => native.run([{ ...nativeCall, program: 1 }])).toThrow('no such program');
    expect(() => native.run([{ ...nativeCall, results: [[1, 0]] }])).toThrow();
    expect(() => native.run([{ ...nativeCall, results: [[0, 8 * 1024 * 4 + 1]] }])).toThrow('than planned');
    expect(() => native.run([{ ...nativeCall, dims: Int32Array.of(2) }])).toThrow('one extent for each');
    expect(() => native.read(2)).toThrow('no such variable');
    await expect(native.run([{ ...nativeCall, inputs: [[1, x]] }])).rejects.toThrow('unknown input');
    await expect(native.run([{ ...nativeCall, inputs: [[0, new Uint8Array(8 * 512 * 4 + 1)]] }])).rejects.toThrow(
      'larger than planned',
    );
    await expect(native.run([{ ...nativeCall, dims: Int32Array.of(-1, 0, 0, 0, 0) }])).rejects.toThrow('exceeds');
    expect((await native.run([nativeCall])).done).toBe(1);
  });

  test('refuses an unknown instruction set and what is no plan', () => {
    expect(() => new (addon().NativeEngine)(engine.plan.encode(), 'cpu:mmx')).toThrow('instruction set mmx');
    expect(() => new (addon().NativeEngine)(new Uint8Array(0), nativeName(device))).toThrow('plan: ends too early');
    expect(() => new (addon().NativeEngine)(engine.plan.encode(), 'tpu:0')).toThrow('no backend for the device tpu:0');
    expect(() => cpuDevice({ isa: 'mmx' })).toThrow('does not run mmx');
  });
});
