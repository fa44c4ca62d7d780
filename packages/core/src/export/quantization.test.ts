import { fileURLToPath } from 'node:url';
import { BLOCK_FORMATS } from '@anneal/formats/gguf/quants/index';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { cpuDevice, encodeWeights, type WeightType } from '@anneal/kernels';
import { addon } from '@anneal/kernels/addon';
import { describe, expect, test } from 'vitest';

/** Made by make_quantization.py beside it from llama.cpp's own library. */
const golden = openSafetensors(
  fileURLToPath(new URL('../../test/golden/quantization/quantization.safetensors', import.meta.url)),
);
const weights = golden.float32('weights');
const rows = weights.length / 256;
/** Of each column; null: without an importance matrix. */
type Importance = Float32Array | null;
const importance = golden.float32('importance');
/** What values of llama.cpp are called with it. */
const prefix = (columns: Importance) => (columns ? 'important.' : '');
const ways = [
  ['', null],
  [' with an importance matrix', importance],
] as const;

async function encode(
  type: keyof typeof BLOCK_FORMATS & WeightType,
  columns: Importance = null,
  device = cpuDevice(),
): Promise<Uint8Array> {
  const { length, bytes } = BLOCK_FORMATS[type];
  const target = new Uint8Array((weights.length / length) * bytes);
  const source = new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
  const targets = [{ type, bytes: target }];
  const job = {
    source,
    sourceType: 'f32',
    rows,
    columns: 256,
    targets,
    ...(columns && { importance: columns }),
  } as const;
  expect(await encodeWeights(job, device)).toBeNull();
  return target;
}

type Count = (weight: number, row: number, column: number) => number;

/** Of each row. @param count how much the error of a weight counts */
function squaredErrors(type: keyof typeof BLOCK_FORMATS, bytes: Uint8Array, count: Count = () => 1): number[] {
  const decoded = new Float32Array(weights.length);
  BLOCK_FORMATS[type].decode(bytes, decoded);
  return sums((weight, row, column) => {
    const error = (decoded[row * 256 + column] as number) - weight;
    return count(weight, row, column) * error * error;
  });
}

function sums(term: Count): number[] {
  return Array.from({ length: rows }, (_, row) => {
    const block = weights.subarray(row * 256, (row + 1) * 256);
    return block.reduce((sum, weight, column) => sum + term(weight, row, column), 0);
  });
}

/** What the error of a weight counts: plainly, or by its column's importance. */
function plainly(columns: Importance): Count {
  return columns ? (_, __, column) => columns[column] as number : () => 1;
}

/** The same for llama.cpp while it quantizes. @param length weights of a block */
function asLlamaCpp(columns: Importance, length: number): Count {
  if (!columns) return (weight) => weight * weight;
  return (weight, row, column) => {
    const first = row * 256 + column - (column % length);
    const squares = weights.subarray(first, first + length).reduce((sum, each) => sum + each * each, 0);
    return (columns[column] as number) * Math.sqrt((2 * squares) / length + weight * weight);
  };
}

describe.each(ways)("llama.cpp's bytes%s", (_, columns) => {
  test.each(['Q8_0', 'Q4_0', 'Q5_0', 'Q5_1', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const)('%s', async (type) => {
    expect(await encode(type, columns)).toEqual(golden.bytes(`${prefix(columns)}bytes.${type}`));
  });
});

describe.each(['IQ4_NL', 'IQ4_XS', 'IQ3_XXS', 'IQ3_S'] as const)('%s', (type) => {
  describe.each(ways)('errs less than llama.cpp%s, and in no block of IQ4 more', (__, columns) => {
    test.each([
      ['plainly', 'error', plainly(columns)],
      ['as it counts errors itself', 'weighted', asLlamaCpp(columns, BLOCK_FORMATS[type].length)],
    ] as const)('%s', async (_, kind, count) => {
      const theirs = [...golden.float32(`${prefix(columns)}${kind}.${type}`)];
      const ours = squaredErrors(type, await encode(type, columns), count);
      const sizes = sums((weight, row, column) => count(weight, row, column) * weight * weight);
      const relative = (errors: readonly number[]): number =>
        errors.reduce((sum, error, row) => sum + error / (sizes[row] || 1), 0);
      expect(relative(ours)).toBeLessThan(relative(theirs));
      for (const [row, error] of type.startsWith('IQ4') ? ours.entries() : []) {
        // ggml's own choice is among those that are compared; float32 rounds their errors.
        const most = (theirs[row] as number) * (1 + 1e-5) + (sizes[row] as number) * 1e-12;
        expect(error, `row ${row}`).toBeLessThanOrEqual(most);
      }
    });
  });

  test('a changed byte makes it worse', async () => {
    const bytes = await encode(type);
    const before = squaredErrors(type, bytes).reduce((sum, error) => sum + error, 0);
    const { bytes: size } = BLOCK_FORMATS[type];
    const middle = 30 * size + (size >> 1); // quants of an ordinary row
    bytes[middle] = (bytes[middle] as number) ^ 0xff;
    expect(squaredErrors(type, bytes).reduce((sum, error) => sum + error, 0)).toBeGreaterThan(before);
  });
});

const everywhere = [
  'Q2_K',
  'Q3_K',
  'Q4_K',
  'Q5_K',
  'Q6_K',
  'Q8_0',
  'Q4_0',
  'Q5_1',
  'IQ4_NL',
  'IQ4_XS',
  'IQ3_XXS',
  'IQ3_S',
] as const;
describe.each(ways)('the same bytes on every instruction set and with any number of threads%s', (_, columns) => {
  test.each(everywhere)('%s', async (type) => {
    const expected = await encode(type, columns);
    for (const isa of addon().instructionSets()) {
      for (const threads of [1, 3]) {
        expect(await encode(type, columns, cpuDevice({ isa, threads })), `${isa}, ${threads} threads`).toEqual(
          expected,
        );
      }
    }
  });
});
