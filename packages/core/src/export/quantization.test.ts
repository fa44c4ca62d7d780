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

async function encode(type: keyof typeof BLOCK_FORMATS & WeightType, device = cpuDevice()): Promise<Uint8Array> {
  const { length, bytes } = BLOCK_FORMATS[type];
  const target = new Uint8Array((weights.length / length) * bytes);
  const source = new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
  const targets = [{ type, bytes: target }];
  expect(await encodeWeights({ source, sourceType: 'f32', rows, columns: 256, targets }, device)).toBeNull();
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

/** How much an error counts for llama.cpp while it quantizes. */
const square: Count = (weight) => weight * weight;

test.each(['Q8_0', 'Q4_0', 'Q5_0', 'Q5_1', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const)(
  "%s has llama.cpp's bytes",
  async (type) => {
    expect(await encode(type)).toEqual(golden.bytes(`bytes.${type}`));
  },
);

describe.each(['IQ4_NL', 'IQ4_XS'] as const)('%s', (type) => {
  test.each([
    ['plainly', 'error', () => 1],
    ['as it counts errors itself', 'weighted', square],
  ] as const)("errs less than llama.cpp's own, %s, and in no block more", async (_, kind, count) => {
    const theirs = [...golden.float32(`${kind}.${type}`)];
    const ours = squaredErrors(type, await encode(type), count);
    const sizes = sums((weight, row, column) => count(weight, row, column) * weight * weight);
    const relative = (errors: readonly number[]): number =>
      errors.reduce((sum, error, row) => sum + error / (sizes[row] || 1), 0);
    expect(relative(ours)).toBeLessThan(relative(theirs));
    for (const [row, error] of ours.entries()) {
      // ggml's own choice is among those that are compared; float32 rounds their errors.
      const most = (theirs[row] as number) * (1 + 1e-5) + (sizes[row] as number) * 1e-12;
      expect(error, `row ${row}`).toBeLessThanOrEqual(most);
    }
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

test.each(['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_0', 'Q5_1', 'IQ4_NL', 'IQ4_XS'] as const)(
  '%s has the same bytes on every instruction set and with any number of threads',
  async (type) => {
    const expected = await encode(type);
    for (const isa of addon().instructionSets()) {
      for (const threads of [1, 3]) {
        expect(await encode(type, cpuDevice({ isa, threads })), `${isa}, ${threads} threads`).toEqual(expected);
      }
    }
  },
);
