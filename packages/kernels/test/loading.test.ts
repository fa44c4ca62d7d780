import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';
import { integer, normal, randomFrom } from '../src/cases/numbers.ts';
import { cpuDevice } from '../src/device.ts';
import { Engine, float32Of } from '../src/engine.ts';
import { Graph } from '../src/graph.ts';
import { type FloatType, quantizeNf4 } from '../src/nf4.ts';
import { compile } from '../src/plan.ts';
import type { DType } from '../src/tensor.ts';
import { Variables } from '../src/variables.ts';
import type { FileWeights } from '../src/weightSource.ts';

const types = ['f32', 'bf16', 'f16'] as const;
const position = 24;

function engineOf(
  shapes: Readonly<Record<string, readonly [dtype: DType, ...shape: number[]]>>,
  threads: number,
): Engine {
  const variables = new Variables();
  for (const [name, [dtype, ...shape]] of Object.entries(shapes)) variables.get(name, { dtype, shape, kind: 'weight' });
  const device = cpuDevice({ threads });
  const engine = new Engine(
    compile([new Graph('none', variables)], { bounds: {}, activations: 'keep', device }),
    device,
  );
  onTestFinished(() => engine.dispose());
  return engine;
}

/** Any bit patterns in 16 bits, NaN and denormals among them; normally distributed numbers in 32. */
function valuesOf(type: FloatType, count: number): Uint8Array {
  const random = randomFrom(count);
  const values =
    type === 'f32'
      ? Float32Array.from({ length: count }, () => normal(random))
      : Uint16Array.from({ length: count }, () => integer(random, 1 << 16));
  return new Uint8Array(values.buffer);
}

function fileOf(bytes: Uint8Array): { path: string; descriptor: number } {
  const path = join(temporaryFolder('loading'), 'weights');
  writeFileSync(path, Buffer.concat([Buffer.alloc(position, 0xff), bytes]));
  const descriptor = openSync(path, 'r');
  onTestFinished(() => closeSync(descriptor));
  return { path, descriptor };
}

function inFile(type: FloatType, bytes: Uint8Array, rows: number, headRows = 0): FileWeights {
  return { type, descriptor: fileOf(bytes).descriptor, position, rows, headRows };
}

// More than a piece for the device, and no whole number of what a thread reads.
const [rows, columns] = [4099, 1031];

test.each(types.flatMap((type) => (['f32', 'bf16'] as const).map((dtype) => ({ type, dtype }))))(
  'a variable of $dtype is read from a file of $type as if it were written',
  async ({ type, dtype }) => {
    const bytes = valuesOf(type, rows * columns);
    const engine = engineOf({ read: [dtype, rows, columns], written: [dtype, rows, columns] }, 2);
    await engine.write('written', bytes, type);
    expect((await engine.load('read', inFile(type, bytes, rows))).problem).toBeNull();
    const [read, written] = [await engine.read('read'), await engine.read('written')];
    expect(Buffer.from(read.buffer).equals(Buffer.from(written.buffer))).toBe(true);
  },
);

test('pairs of rows that lie beside each other in the file are taken apart, head by head', async () => {
  const [heads, headRows, width] = [3, 6, 50];
  const engine = engineOf({ w: ['f32', heads * headRows, width] }, 2);
  // Row r holds r everywhere.
  const stored = Float32Array.from({ length: heads * headRows * width }, (_, i) => Math.floor(i / width));
  await engine.load('w', inFile('f32', new Uint8Array(stored.buffer), heads * headRows, headRows));
  const found = float32Of(await engine.read('w'));
  const order = Array.from({ length: heads * headRows }, (_, row) => found[row * width + width - 1]);
  expect(order).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11, 12, 14, 16, 13, 15, 17]);
});

test('a pattern is repeated from the first value on', async () => {
  const engine = engineOf({ w: ['f32', 100, 77] }, 2);
  const pattern = Float32Array.from({ length: 13 }, (_, i) => i + 1);
  const loaded = await engine.load('w', { type: 'f32', pattern: new Uint8Array(pattern.buffer) });
  expect(loaded).toEqual({ problem: null, notFinite: null });
  const found = float32Of(await engine.read('w'));
  expect(found.every((value, i) => value === (i % 13) + 1)).toBe(true);
});

test.each(types)('NF4 of a file of %s is what quantizeNf4 makes of it', async (type) => {
  // The last block is not full; more than one group of absmaxes, and than a thread reads.
  const [n, k] = [1001, 514];
  const blocks = Math.ceil((n * k) / 64);
  const scales = Math.ceil(blocks / 256);
  const shapes = {
    codes: ['u8', n, k / 2],
    absmax: ['u8', blocks],
    plain: ['f32', blocks],
    scales: ['f32', scales],
    offsets: ['f32', scales],
  } as const;
  const random = randomFrom(7);
  const values = Float32Array.from({ length: n * k }, () => normal(random));
  const bytes =
    type === 'f32'
      ? new Uint8Array(values.buffer)
      : type === 'f16'
        ? new Uint8Array(new Float16Array(values).buffer)
        : new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer);
  const map = Float32Array.from({ length: 256 }, (_, i) => (i - 127) / 128);
  for (const threads of [1, 3]) {
    const engine = engineOf(shapes, threads);
    const source = inFile(type, bytes, n);
    const double = { scales: 'scales', offsets: 'offsets', map };
    expect(await engine.loadNf4({ codes: 'codes', absmax: 'absmax', double }, source)).toEqual({
      problem: null,
      isFinite: true,
    });
    const expected = await quantizeNf4(bytes, type, map);
    expect(await engine.read('codes')).toEqual(expected?.codes);
    expect(await engine.read('absmax')).toEqual(expected?.absmax);
    expect(await engine.read('scales')).toEqual(expected?.double?.scales);
    expect(new Set(float32Of(await engine.read('offsets')))).toEqual(new Set([expected?.double?.offset]));
    await engine.loadNf4({ codes: 'codes', absmax: 'plain', double: null }, source);
    expect(await engine.read('plain')).toEqual((await quantizeNf4(bytes, type, null))?.absmax);
  }
});

test('a weight that is not finite is noticed', async () => {
  const engine = engineOf({ codes: ['u8', 4, 32], absmax: ['f32', 4] }, 1);
  const values = new Float32Array(256).fill(1);
  values[200] = Number.NaN;
  const source = inFile('f32', new Uint8Array(values.buffer), 4);
  const outcome = await engine.loadNf4({ codes: 'codes', absmax: 'absmax', double: null }, source);
  expect(outcome).toEqual({ problem: null, isFinite: false });
});

test('a file that ends too early says where, one that cannot be read why', async () => {
  const engine = engineOf({ w: ['bf16', 1000, 300], codes: ['u8', 1000, 150], absmax: ['f32', 4688] }, 2);
  const { path, descriptor } = fileOf(valuesOf('bf16', 300_000));
  const source = { type: 'bf16', descriptor, position, rows: 1000, headRows: 0 } as const;
  truncateSync(path, 100_000);
  const problem = 'the file ends at byte 100000, before the tensor it should hold';
  expect((await engine.load('w', source)).problem).toBe(problem);
  const nf4 = { codes: 'codes', absmax: 'absmax', double: null };
  expect((await engine.loadNf4(nf4, source)).problem).toBe(problem);
  expect((await engine.load('w', { ...source, descriptor: 1 << 20 })).problem).toBe(
    'the file cannot be read: Bad file descriptor',
  );
});

test.each([
  ['f32', 0x7f800000, 4],
  ['f32', 0xffc00000, 4],
  ['bf16', 0xff80, 2],
  ['bf16', 0x7fc0, 2],
  ['f16', 0xfc00, 2],
  ['f16', 0x7e00, 2],
] as const)('the first value of %s that is not finite (%i) is named, wherever it lies', async (type, bits, size) => {
  const count = 700_003;
  const engine = engineOf(
    { same: [type === 'bf16' ? 'bf16' : 'f32', count], other: [type === 'bf16' ? 'f32' : 'bf16', count] },
    2,
  );
  for (const places of [[0], [count - 1], [300_001, 600_000], []]) {
    const bytes = new Uint8Array(count * size);
    const view = new DataView(bytes.buffer);
    for (const place of places) {
      if (size === 4) view.setUint32(place * 4, bits, true);
      else view.setUint16(place * 2, bits, true);
    }
    for (const name of ['same', 'other']) {
      const { notFinite } = await engine.load(name, inFile(type, bytes, 1));
      expect(notFinite).toBe(places[0] ?? null);
    }
  }
});

test('what does not fit is refused', async () => {
  const engine = engineOf({ w: ['f32', 9, 4], ids: ['i32', 9], codes: ['u8', 3, 3], absmax: ['f32', 2] }, 1);
  const source = inFile('f32', valuesOf('f32', 36), 9);
  await expect(engine.load('other', source)).rejects.toThrow('no variable other');
  await expect(engine.load('w', { ...source, rows: 5 })).rejects.toThrow('not whole rows');
  await expect(engine.load('w', { ...source, headRows: 4 })).rejects.toThrow('not whole heads');
  await expect(engine.load('w', { type: 'f32', pattern: new Uint8Array(0) })).rejects.toThrow('without a value');
  await expect(engine.load('ids', source)).rejects.toThrow('cannot be written');
  const names = { codes: 'codes', absmax: 'absmax', double: null };
  await expect(engine.loadNf4(names, source)).rejects.toThrow('does not fill absmax');
});
