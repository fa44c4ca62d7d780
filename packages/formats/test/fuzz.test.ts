import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../src/errors.ts';
import { RandomAccessFile } from '../src/files/randomAccess.ts';
import type { GgufValue } from '../src/gguf/metadata.ts';
import { openGguf } from '../src/gguf/read.ts';
import { tokenizerFromGguf } from '../src/gguf/tokenizer.ts';
import { writeGguf } from '../src/gguf/write.ts';
import { openSafetensors } from '../src/safetensors/read.ts';
import { writeSafetensors } from '../src/safetensors/write.ts';
import type { TensorSource } from '../src/tensor.ts';
import { float32Bytes, temporaryFolder } from './helpers.ts';

/** Inputs a format; CI takes the default, FUZZ_RUNS=1000000 for a longer look. */
const INPUTS = Number(process.env.FUZZ_RUNS ?? 60_000);
const FIRST_SEED = Number(process.env.FUZZ_SEED ?? 1);
/** So many meet every kind of refusal. */
const MANY = 10_000;
const folder = temporaryFolder();

/** Marsaglia's xorshift32: the same input every time. Seeds beside each other begin far from each other. */
function generator(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const EXTREMES = [0n, 1n, 7n, 255n, 65_535n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
const WORDS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '-1',
  '1e999',
  '99999999999999999999',
  'null',
  '\\u0000',
  '"F32"',
  '[[',
  '\xff',
];

/** One to four changes: cut, flip, overwrite with an extreme number, insert a token of JSON, copy a piece elsewhere, remove one. */
function mutate(original: Buffer, random: (below: number) => number): Buffer {
  let bytes = Buffer.from(original);
  for (let change = random(4); change >= 0; change--) {
    const at = random(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + random(16));
    switch (random(6)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << random(8));
        break;
      case 2:
        if (at + 8 <= bytes.length) bytes.writeBigUInt64LE(EXTREMES[random(EXTREMES.length)] as bigint, at);
        break;
      case 3:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(WORDS[random(WORDS.length)] as string, 'latin1'),
          bytes.subarray(at),
        ]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(at + 1), end), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    }
  }
  return bytes;
}

/** Runs `read` on mutations of a file. Whatever is wrong with one must come out as a UserError. */
function fuzz(path: string, read: (size: number) => void): { opened: number; refused: Map<string, number> } {
  const file = new RandomAccessFile(path);
  const original = Buffer.from(file.read(0, file.size));
  file.close();
  const descriptor = openSync(path, 'r+');
  const refused = new Map<string, number>();
  let opened = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + INPUTS; seed++) {
    const input = mutate(original, generator(seed));
    ftruncateSync(descriptor, input.length);
    writeSync(descriptor, input, 0, input.length, 0);
    try {
      read(input.length);
      opened++;
    } catch (error) {
      if (!(error instanceof UserError)) {
        throw new Error(`FUZZ_RUNS=1 FUZZ_SEED=${seed}: ${input.toString('hex')}`, { cause: error });
      }
      refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
    }
  }
  closeSync(descriptor);
  return { opened, refused };
}

function readEverything(source: TensorSource, size: number): void {
  let bytes = 0;
  for (const [name, { byteLength, dtype }] of source.tensors) {
    bytes += byteLength;
    if (dtype === 'BOOL' || /^[IU]\d/.test(dtype)) source.bytes(name);
    else source.float32(name);
  }
  expect(bytes, 'tensors cannot hold more than the file').toBeLessThanOrEqual(size);
}

function strings(...value: string[]): GgufValue {
  return { type: 'array', items: 'string', value };
}

describe('broken files', { timeout: 60_000 + INPUTS }, () => {
  it('of safetensors are refused or read, nothing else', async () => {
    const path = join(folder, 'model.safetensors');
    await writeSafetensors(path, [
      { name: 'model.a', dtype: 'F32', shape: [2, 3], bytes: () => float32Bytes(1, 2, 3, 4, 5, 6) },
      { name: 'model.b', dtype: 'BF16', shape: [4], bytes: () => new Uint8Array(8) },
      { name: 'model.c', dtype: 'I64', shape: [1], bytes: () => new Uint8Array(8) },
    ]);
    const { opened, refused } = fuzz(path, (size) => {
      const source = openSafetensors(path);
      try {
        readEverything(source, size);
      } finally {
        source.close();
      }
    });
    if (INPUTS < MANY) return;
    // The mutations reach past the first checks: some files still open, and the data's own checks are met.
    expect(opened).toBeGreaterThan(INPUTS / 100);
    expect([...refused.keys()]).toEqual(
      expect.arrayContaining(['safetensors_invalid', 'safetensors_truncated', 'invalid_json']),
    );
  });

  it('of GGUF are refused or read, tokenizer included, nothing else', async () => {
    const path = join(folder, 'model.gguf');
    const metadata = new Map<string, GgufValue>([
      ['general.alignment', { type: 'uint32', value: 32 }],
      ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
      ['tokenizer.ggml.pre', { type: 'string', value: 'smollm' }],
      ['tokenizer.ggml.tokens', strings('a', 'b', 'ab', '<e>')],
      ['tokenizer.ggml.token_type', { type: 'array', items: 'int32', value: Int32Array.of(1, 1, 1, 3) }],
      ['tokenizer.ggml.merges', strings('a b')],
      ['tokenizer.ggml.eos_token_id', { type: 'uint32', value: 3 }],
    ]);
    const data = Uint8Array.from({ length: 128 }, (_, i) => i % 60);
    await writeGguf(path, metadata, [
      { name: 'a', type: 'Q8_0', shape: [2, 32], bytes: () => data.subarray(0, 68) },
      { name: 'b', type: 'F16', shape: [64], bytes: () => data },
    ]);
    const { opened, refused } = fuzz(path, (size) => {
      const source = openGguf(path);
      try {
        readEverything(source, size);
        tokenizerFromGguf(source.metadata, path);
      } finally {
        source.close();
      }
    });
    if (INPUTS < MANY) return;
    expect(opened).toBeGreaterThan(INPUTS / 100);
    expect([...refused.keys()]).toEqual(
      expect.arrayContaining([
        'gguf_invalid',
        'gguf_truncated',
        'gguf_version',
        'gguf_type_unsupported',
        'gguf_tokenizer_invalid',
      ]),
    );
  });
});
