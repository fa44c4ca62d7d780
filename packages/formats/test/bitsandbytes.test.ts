import { describe, expect, it, test } from 'vitest';
import { absmaxMap, NF4_VALUES } from '../src/bitsandbytes/nf4.ts';
import { openBitsandbytes } from '../src/bitsandbytes/source.ts';
import type { DType, TensorInfo, TensorSource } from '../src/tensor.ts';
import { float32Bytes, userError } from './helpers.ts';

interface Stored {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}
type Tensors = Readonly<Record<string, Stored>>;

function sourceOf(tensors: Tensors): TensorSource {
  const bytes = (name: string) => tensors[name]?.bytes as Uint8Array;
  return {
    path: 'model.safetensors',
    tensors: new Map(
      Object.entries(tensors).map(([name, { dtype, shape }]): [string, TensorInfo] => {
        return [name, { name, dtype, shape, byteLength: bytes(name).length }];
      }),
    ),
    bytes,
    float32: (name) => new Float32Array(Uint8Array.from(bytes(name)).buffer),
    place: () => {
      throw new Error('there is no file');
    },
    close: () => undefined,
  };
}

const floats = (...values: number[]): Stored => ({
  dtype: 'F32',
  shape: [values.length],
  bytes: float32Bytes(...values),
});
const bytesOf = (...values: number[]): Stored => ({
  dtype: 'U8',
  shape: [values.length],
  bytes: Uint8Array.from(values),
});
const stateOf = (changes: object = {}): Stored =>
  bytesOf(
    ...Buffer.from(JSON.stringify({ quant_type: 'nf4', blocksize: 64, dtype: 'float32', shape: [2, 64], ...changes })),
  );

/** Two rows of 64 weights: all -1 and all 1 times their absmax, but for the first, which is 0. */
const single: Tensors = {
  'q.weight': { ...bytesOf(0x70, ...Array(31).fill(0), ...Array(32).fill(0xff)), shape: [64, 1] },
  'q.weight.absmax': floats(2, 3),
  'q.weight.quant_map': floats(...NF4_VALUES),
  'q.weight.quant_state.bitsandbytes__nf4': stateOf(),
  norm: floats(1),
};
const double: Tensors = {
  ...single,
  'q.weight.absmax': bytesOf(255, 0),
  'q.weight.nested_absmax': floats(0.5),
  'q.weight.nested_quant_map': floats(...absmaxMap()),
  'q.weight.quant_state.bitsandbytes__nf4': stateOf({ nested_blocksize: 256, nested_offset: 2.5 }),
};

describe('a matrix in NF4', () => {
  it('is one tensor of the shape that it decodes to', () => {
    const source = openBitsandbytes(sourceOf(single));
    expect([...source.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['q.weight', 'NF4', [2, 64]],
      ['norm', 'F32', [1]],
    ]);
    expect([...source.float32('norm')]).toEqual([1]);
  });

  it('is decoded, whole or by rows', () => {
    const source = openBitsandbytes(sourceOf(single));
    const expected = [0, ...Array(63).fill(-2), ...Array(64).fill(3)];
    expect([...source.float32('q.weight')]).toEqual(expected);
    expect([...source.float32('q.weight', { first: 1, count: 1 })]).toEqual(expected.slice(64));
    expect(source.nf4Form('q.weight')).toBe('single');
  });

  it('may have absmaxes in 8 bits', () => {
    const source = openBitsandbytes(sourceOf(double));
    const lowest = absmaxMap()[0] as number;
    expect(source.nf4Form('q.weight')).toBe('double');
    expect([...source.float32('q.weight')]).toEqual([
      0,
      ...Array(63).fill(-(1 * 0.5 + 2.5)),
      ...Array(64).fill(Math.fround(lowest * 0.5 + 2.5)),
    ]);
  });
});

test.each<[string, Tensors]>([
  ['another way than NF4', { 'q.weight.quant_state.bitsandbytes__fp4': stateOf() }],
  ['another way than NF4', { 'q.weight.SCB': floats(1) }],
  ['not that of a matrix', { ...single, 'q.weight.quant_state.bitsandbytes__nf4': stateOf({ shape: [128] }) }],
  ['not that of a matrix', { ...single, 'q.weight.quant_state.bitsandbytes__nf4': stateOf({ shape: [1, 3] }) }],
  ['blocks are of 128 weights', { ...single, 'q.weight.quant_state.bitsandbytes__nf4': stateOf({ blocksize: 128 }) }],
  ['is not 64 values of U8', { ...single, 'q.weight': bytesOf(1, 2, 3) }],
  ['is not 2 values of F32', { ...single, 'q.weight.absmax': floats(1) }],
  ['is not 2 values of U8', { ...double, 'q.weight.absmax': floats(1, 2) }],
  ['is not the usual table', { ...single, 'q.weight.quant_map': floats(...NF4_VALUES.map((v) => v / 2)) }],
  ['is not the usual table', { ...double, 'q.weight.nested_quant_map': floats(...absmaxMap().map((v) => v / 2)) }],
  ['is not 1 values of F32', { ...double, 'q.weight.nested_absmax': floats(1, 2) }],
])('a checkpoint is refused: %s', (message, tensors) => {
  expect(userError(() => openBitsandbytes(sourceOf(tensors))).message).toContain(message);
});
