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

function squaredErrors(type: keyof typeof BLOCK_FORMATS, bytes: Uint8Array): number[] {
  const decoded = new Float32Array(weights.length);
  BLOCK_FORMATS[type].decode(bytes, decoded);
  return Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * 256; i < (row + 1) * 256; i++) sum += ((decoded[i] as number) - (weights[i] as number)) ** 2;
    return sum;
  });
}

test.each(['Q8_0', 'Q4_0', 'Q5_0', 'Q5_1'] as const)("%s has llama.cpp's bytes", async (type) => {
  expect(await encode(type)).toEqual(golden.bytes(`bytes.${type}`));
});

describe.each(['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const)('%s', (type) => {
  const theirs = [...golden.float32(`error.${type}`)];

  test("errs less than llama.cpp's own, and in no block by much more", async () => {
    const ours = squaredErrors(type, await encode(type));
    expect(relative(ours)).toBeLessThan(relative(theirs));
    for (const [row, error] of ours.entries()) {
      expect(error, `row ${row}`).toBeLessThanOrEqual((theirs[row] as number) * 1.1 + energy(row) * 1e-6);
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

test.each(['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_0', 'Q5_1'] as const)(
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

/** Of all rows, each as a share of what its weights are. */
function relative(errors: readonly number[]): number {
  return errors.reduce((sum, error, row) => sum + error / (energy(row) || 1), 0);
}

function energy(row: number): number {
  return weights.subarray(row * 256, (row + 1) * 256).reduce((sum, weight) => sum + weight * weight, 0);
}
