import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BLOCK_FORMATS } from '../src/gguf/quants/index.ts';
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
