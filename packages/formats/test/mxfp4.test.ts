import { expect, test } from 'vitest';
import { openMxfp4 } from '../src/mxfp4/source.ts';
import type { DType, TensorInfo, TensorSource } from '../src/tensor.ts';
import { userError } from './helpers.ts';

interface Stored {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

function sourceOf(stored: Readonly<Record<string, Stored>>): TensorSource {
  const tensors = Object.entries(stored).map(([name, { dtype, shape, bytes }]): [string, TensorInfo] => {
    return [name, { name, dtype, shape, byteLength: bytes.length }];
  });
  return {
    path: 'model.safetensors',
    tensors: new Map(tensors),
    bytes: (name, rows) => {
      const { bytes, shape } = stored[name] as Stored;
      const row = bytes.length / (shape[0] as number);
      return rows ? bytes.slice(rows.first * row, (rows.first + rows.count) * row) : bytes;
    },
    float32: () => new Float32Array([7]),
    place: () => {
      throw new Error('there is no file');
    },
    close: () => undefined,
  };
}

const u8 = (shape: readonly number[], value: (i: number) => number): Stored => {
  const count = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'U8', shape, bytes: Uint8Array.from({ length: count }, (_, i) => value(i)) };
};

/** Two matrices of three rows of two blocks. */
const blocks = u8([2, 3, 2, 16], (i) => (i * 37 + 11) & 255);
const scales = u8([2, 3, 2], (i) => 120 + i);
const whole = { w_blocks: blocks, w_scales: scales, w_bias: u8([1], () => 0) };

/** E2M1 as its definition reads, but for the zero with a sign: sign, two bits of exponent with bias 1, one of mantissa; without exponent half a mantissa. */
function e2m1(code: number): number {
  const [sign, exponent, mantissa] = [code >> 3, (code >> 1) & 3, code & 1];
  const magnitude = exponent === 0 ? mantissa / 2 : 2 ** (exponent - 1) * (1 + mantissa / 2);
  return sign ? 0 - magnitude : magnitude;
}

test('blocks and scales are one tensor of the shape they decode to, and decode by the definition, whole or by rows', () => {
  const source = openMxfp4(sourceOf(whole));
  expect([...source.tensors.keys()].toSorted()).toEqual(['w', 'w_bias']);
  expect(source.tensors.get('w')).toEqual({ name: 'w', dtype: 'MXFP4', shape: [2, 3, 64], byteLength: 12 * 17 });
  const all = source.float32('w');
  for (let i = 0; i < 2 * 3 * 64; i++) {
    const pair = blocks.bytes[i >> 1] as number;
    const scale = 2 ** ((scales.bytes[i >> 5] as number) - 127);
    expect(all[i]).toBe(scale * e2m1(i % 2 === 0 ? pair & 15 : pair >> 4));
  }
  expect(source.float32('w', { first: 1, count: 1 })).toEqual(all.subarray(3 * 64));
  expect(source.float32('w_bias')).toEqual(new Float32Array([7]));
});

test.each<[string, Readonly<Record<string, Stored>>]>([
  ['w_blocks is missing', { w_scales: scales }],
  ['w_blocks has no scales', { w_blocks: blocks }],
  ['no blocks of MXFP4', { ...whole, w_scales: u8([2, 3, 1], () => 0) }],
  ['no blocks of MXFP4', { ...whole, w_blocks: { ...blocks, dtype: 'I8' } }],
  ['no blocks of MXFP4', { w_blocks: u8([16], () => 0), w_scales: u8([], () => 0) }],
])('%s', (message, tensors) => {
  expect(userError(() => openMxfp4(sourceOf(tensors)))).toMatchObject({
    code: 'mxfp4_unreadable',
    message: expect.stringContaining(message),
  });
});
