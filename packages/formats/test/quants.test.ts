import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_FORMATS, WRITABLE_BLOCK_FORMATS } from '../src/gguf/quants/index.ts';
import { openSafetensors } from '../src/safetensors/read.ts';

/** Made by golden/make_quants.py from llama.cpp's own Python package. */
const golden = openSafetensors(join(import.meta.dirname, 'golden/quants.safetensors'));

const bits = (weights: Float32Array) => new Uint32Array(weights.buffer, weights.byteOffset, weights.length);

describe('decoding', () => {
  it.each(Object.values(BLOCK_FORMATS))('$type equals ggml bit for bit', ({ type, length, bytes, decode }) => {
    const blocks = golden.bytes(`${type}.blocks`);
    const expected = golden.float32(`${type}.weights`);
    const weights = new Float32Array((blocks.length / bytes) * length);
    decode(blocks, weights);
    expect(bits(weights)).toEqual(bits(expected));
  });

  it.each(Object.values(BLOCK_FORMATS))('every byte of a $type block matters', ({ type, length, bytes, decode }) => {
    const block = golden.bytes(`${type}.blocks`).slice(0, bytes);
    const expected = golden.float32(`${type}.weights`).slice(0, length);
    for (let i = 0; i < bytes; i++) {
      const changed = block.slice();
      changed[i] = (changed[i] as number) ^ 0x15; // low bits, so that scales stay finite
      const weights = new Float32Array(length);
      decode(changed, weights);
      expect(bits(weights), `byte ${i}`).not.toEqual(bits(expected));
    }
  });
});

describe('encoding', () => {
  it.each(Object.values(WRITABLE_BLOCK_FORMATS))(
    '$type equals ggml byte for byte',
    ({ type, length, bytes, encode }) => {
      const weights = golden.float32('encode.weights');
      const blocks = new Uint8Array((weights.length / length) * bytes);
      encode(weights, blocks);
      expect(blocks).toEqual(golden.bytes(`encode.${type}`));
    },
  );

  const steps = { Q8_0: 127, Q4_0: 8, Q5_0: 16 };
  const block = fc.float32Array({ minLength: 32, maxLength: 32, min: -1000, max: 1000, noNaN: true });

  it.each(Object.values(WRITABLE_BLOCK_FORMATS))(
    '$type errs by at most one step',
    ({ type, bytes, encode, decode }) => {
      fc.assert(
        fc.property(block, (weights) => {
          const blocks = new Uint8Array(bytes);
          const decoded = new Float32Array(32);
          encode(weights, blocks);
          decode(blocks, decoded);
          const largest = weights.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
          // One step, and what the half-precision scale itself loses (relative 2⁻¹¹, absolute 2⁻²⁵ times the range of q).
          const tolerance = largest / steps[type as keyof typeof steps] + largest * 2 ** -11 + 127 * 2 ** -25;
          for (let i = 0; i < 32; i++) {
            expect(Math.abs((decoded[i] as number) - (weights[i] as number))).toBeLessThanOrEqual(tolerance);
          }
        }),
        { seed: 3407, numRuns: 300 },
      );
    },
  );
});
