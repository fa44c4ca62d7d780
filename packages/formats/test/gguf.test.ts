import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GGMLQuantizationType, gguf } from '@huggingface/gguf';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GgufMetadata, GgufValue } from '../src/gguf/metadata.ts';
import {
  metadataBoolean,
  metadataNumber,
  metadataNumbers,
  metadataString,
  metadataStrings,
  NUMERIC_ARRAYS,
} from '../src/gguf/metadata.ts';
import { openGguf } from '../src/gguf/read.ts';
import { type GgmlType, unitOf } from '../src/gguf/tensorTypes.ts';
import type { GgufTensorToWrite } from '../src/gguf/write.ts';
import { GgufWriter, writeGguf } from '../src/gguf/write.ts';
import { elementCount } from '../src/tensor.ts';
import { temporaryFolder, userError } from './helpers.ts';

const folder = temporaryFolder();
const file = join(folder, 'model.gguf');
const none: GgufMetadata = new Map();

/** Bytes that are finite weights of the type: small numbers, or blocks whose scales are small halves. */
function tensor(name: string, type: GgmlType, shape: number[]): GgufTensorToWrite {
  const { length, bytes } = unitOf(type);
  const data = Uint8Array.from({ length: (elementCount(shape) / length) * bytes }, (_, i) => (i * 37) % 60);
  return { name, type, shape, bytes: () => data };
}

/** A GGUF header by hand, which the writer would never make. */
class Handmade {
  #parts: Buffer[] = [];
  u32 = (value: number) => this.#add(4, (buffer) => buffer.writeUInt32LE(value));
  u64 = (value: bigint | number) => this.#add(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value)));
  raw = (bytes: Uint8Array) => {
    this.#parts.push(Buffer.from(bytes));
    return this;
  };
  text = (value: string) => this.u64(Buffer.byteLength(value)).raw(Buffer.from(value));
  header = (tensors: bigint | number, keys: bigint | number, version = 3) =>
    this.raw(Buffer.from('GGUF')).u32(version).u64(tensors).u64(keys);
  tensor = (name: string, dimensions: (bigint | number)[], type: number, offset: bigint | number) => {
    this.text(name).u32(dimensions.length);
    for (const dimension of dimensions) this.u64(dimension);
    return this.u32(type).u64(offset);
  };
  save = (dataBytes = 0) => {
    const header = Buffer.concat(this.#parts);
    const path = join(folder, 'handmade.gguf');
    const padding = dataBytes > 0 ? Math.ceil(header.length / 32) * 32 - header.length : 0;
    writeFileSync(path, Buffer.concat([header, Buffer.alloc(padding + dataBytes)]));
    return path;
  };
  #add(size: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(size);
    write(buffer);
    return this.raw(buffer) as this;
  }
}

function oneKey(name: string): Handmade {
  return new Handmade().header(0, 1).text(name);
}

const numeric = Object.keys(NUMERIC_ARRAYS) as (keyof typeof NUMERIC_ARRAYS)[];
const numericArray = fc.constantFrom(...numeric).chain((items) => {
  const width = NUMERIC_ARRAYS[items].BYTES_PER_ELEMENT;
  return fc
    .uint8Array({ maxLength: 5 * width })
    .map((bytes) => new NUMERIC_ARRAYS[items](bytes.slice(0, bytes.length - (bytes.length % width)).buffer))
    .map((value) => ({ type: 'array', items, value }) as GgufValue);
});
const text = fc.string({ unit: 'grapheme' });
const value: fc.Arbitrary<GgufValue> = fc.oneof(
  numericArray,
  numericArray.map((array) => ({ type: 'array', items: 'array', value: [array, array] }) as GgufValue),
  numericArray
    .filter((array) => (array.value as ArrayLike<unknown>).length > 0)
    .map(
      (array) =>
        ({ type: (array as { items: string }).items, value: (array.value as ArrayLike<unknown>)[0] }) as GgufValue,
    ),
  text.map((string) => ({ type: 'string', value: string }) as const),
  fc.boolean().map((boolean) => ({ type: 'bool', value: boolean }) as const),
  fc.array(text).map((strings) => ({ type: 'array', items: 'string', value: strings }) as const),
  fc.array(fc.boolean()).map((booleans) => ({ type: 'array', items: 'bool', value: booleans }) as const),
);

describe('round trip', () => {
  it('gives back metadata of every type', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(text, value, { noNullPrototype: true }), async (entries) => {
        const metadata = new Map(Object.entries(entries));
        await writeGguf(file, metadata, []);
        const source = openGguf(file);
        expect(source.metadata).toEqual(metadata);
        source.close();
      }),
      { seed: 3407, numRuns: 150 },
    );
  });

  it.each([32, 64, 4096])('gives back tensors, aligned to %i bytes', async (alignment) => {
    const metadata = new Map<string, GgufValue>([['general.alignment', { type: 'uint32', value: alignment }]]);
    const tensors = [
      tensor('a', 'F32', [3]),
      tensor('b', 'F16', [2, 3]),
      tensor('c', 'BF16', [2, 5]),
      tensor('d', 'Q8_0', [3, 64]),
      tensor('e', 'Q4_0', [2, 2, 32]),
      tensor('f', 'Q5_0', [32]),
      tensor('h', 'Q6_K', [2, 512]),
      tensor('g', 'F32', []),
    ];
    await writeGguf(file, metadata, tensors);
    const source = openGguf(file);
    for (const { name, type, shape, bytes } of tensors) {
      const info = source.tensors.get(name);
      expect(info).toMatchObject({ name, shape, dtype: type });
      expect((info?.position as number) % alignment).toBe(0);
      const got = source.float32(name);
      expect(source.bytes(name)).toEqual(await bytes());
      expect(got.length).toBe(elementCount(shape));
      const [rowCount = 1, ...row] = shape;
      if (row.length === 0) continue;
      const range = { first: rowCount - 1, count: 1 };
      const rowElements = row.reduce((product, extent) => product * extent, 1);
      expect(source.float32(name, range)).toEqual(got.slice(-rowElements));
      expect(source.bytes(name, range)).toEqual(source.bytes(name).slice(-(info?.byteLength as number) / rowCount));
    }
    expect(userError(() => source.bytes('i')).code).toBe('tensor_not_found');
    source.close();
  });

  it('is read alike by @huggingface/gguf', async () => {
    const metadata = new Map<string, GgufValue>([
      ['general.architecture', { type: 'string', value: 'llama' }],
      ['llama.rope.freq_base', { type: 'float32', value: 10_000 }],
      ['llama.block_count', { type: 'uint32', value: 2 }],
      ['tokenizer.ggml.tokens', { type: 'array', items: 'string', value: ['a', 'ß', '🦙'] }],
      ['tokenizer.ggml.token_type', { type: 'array', items: 'int32', value: Int32Array.of(1, 1, 3) }],
      ['tokenizer.ggml.add_bos_token', { type: 'bool', value: true }],
    ]);
    const tensors = [tensor('token_embd.weight', 'Q8_0', [3, 64]), tensor('output_norm.weight', 'F32', [64])];
    await writeGguf(file, metadata, tensors);
    const peer = await gguf(file, { allowLocalFile: true });
    const source = openGguf(file);
    expect(peer.metadata).toMatchObject({ version: 3, tensor_count: 2n, kv_count: 6n });
    for (const [key, { value: own }] of metadata) {
      const expected = typeof own === 'object' ? Array.from(own as ArrayLike<unknown>) : own;
      expect((peer.metadata as Record<string, unknown>)[key]).toEqual(expected);
    }
    for (const info of peer.tensorInfos) {
      const own = source.tensors.get(info.name);
      expect(info.shape.map(Number).toReversed()).toEqual(own?.shape);
      expect(GGMLQuantizationType[info.dtype]).toBe(own?.dtype);
      expect(Number(peer.tensorDataOffset) + Number(info.offset)).toBe(own?.position);
    }
  });
});

describe('reading', () => {
  it('takes version 2', () => {
    const path = new Handmade().header(1, 0, 2).tensor('a', [2, 3], 0, 0).save(24);
    const source = openGguf(path);
    expect(source.version).toBe(2);
    expect(source.tensors.get('a')).toMatchObject({ shape: [3, 2], byteLength: 24 });
  });

  it.each([
    ['gguf_invalid', 'it does not begin with "GGUF"', () => new Handmade().raw(Buffer.from('GGML')).u32(3)],
    ['gguf_version', 'GGUF version 1 ', () => new Handmade().header(0, 0, 1)],
    ['gguf_big_endian', 'big-endian', () => new Handmade().header(0, 0, 0x03000000)],
    ['gguf_invalid', 'the version needs at least 4 bytes', () => new Handmade().raw(Buffer.from('GGUF'))],
    ['gguf_invalid', 'tensor count is 18446744073709551615', () => new Handmade().header(2n ** 64n - 1n, 0)],
    ['gguf_invalid', 'key count is 18446744073709551615', () => new Handmade().header(0, 2n ** 64n - 1n)],
    ['gguf_invalid', 'the tensor table needs at least', () => new Handmade().header(1000, 0)],
    ['gguf_invalid', 'key 0 needs at least 1000 bytes', () => new Handmade().header(0, 1).u64(1000)],
    ['gguf_invalid', 'a has the unknown type 13', () => oneKey('a').u32(13)],
    [
      'gguf_invalid',
      'length of a is 1125899906842624',
      () =>
        oneKey('a')
          .u32(9)
          .u32(4)
          .u64(2n ** 50n),
    ],
    ['gguf_invalid', 'a needs at least 64000000 bytes', () => oneKey('a').u32(9).u32(4).u64(16_000_000)],
    ['gguf_invalid', 'a needs at least 128000000 bytes', () => oneKey('a').u32(9).u32(8).u64(16_000_000)],
    [
      'gguf_invalid',
      'a nests arrays deeper than 4',
      () => oneKey('a').u32(9).u32(9).u64(1).u32(9).u64(1).u32(9).u64(1).u32(9).u64(1).u32(9).u64(0).u64(0).u64(0),
    ],
    ['gguf_invalid', 'a is not valid UTF-8', () => oneKey('a').u32(8).u64(1).raw(Uint8Array.of(0xff))],
    [
      'gguf_invalid',
      'the key a appears twice',
      () => new Handmade().header(0, 2).text('a').u32(7).raw(Uint8Array.of(1)).text('a').u32(7).raw(Uint8Array.of(1)),
    ],
    ['gguf_invalid', 'general.alignment is 3', () => oneKey('general.alignment').u32(4).u32(3)],
    ['gguf_invalid', 'general.alignment is 0', () => oneKey('general.alignment').u32(4).u32(0)],
    ['gguf_split', 'one part', () => oneKey('split.count').u32(2).raw(Uint8Array.of(3, 0))],
    ['gguf_truncated', 'the file is cut off', () => new Handmade().header(1, 0).tensor('a', [8], 0, 0)],
    ['gguf_invalid', 'more than 8', () => new Handmade().header(1, 0).tensor('a', [1, 1, 1, 1, 1, 1, 1, 1, 1], 0, 0)],
    ['gguf_invalid', 'a dimension of a is', () => new Handmade().header(1, 0).tensor('a', [2n ** 60n], 0, 0)],
    [
      'gguf_truncated',
      'the file is cut off',
      () => new Handmade().header(1, 0).tensor('a', [2n ** 40n, 2n ** 40n], 0, 0),
    ],
    [
      'gguf_invalid',
      'rows of 33 are not whole blocks of 32',
      () => new Handmade().header(1, 0).tensor('a', [33], 8, 0),
    ],
    ['gguf_type_unsupported', 'IQ2_S', () => new Handmade().header(1, 0).tensor('a', [256], 22, 0)],
    ['gguf_type_unsupported', 'type 999', () => new Handmade().header(1, 0).tensor('a', [256], 999, 0)],
    [
      'gguf_invalid',
      'its name appears twice',
      () => new Handmade().header(2, 0).tensor('a', [1], 0, 0).tensor('a', [1], 0, 32),
    ],
    ['gguf_invalid', 'its offset 8 is not a multiple of 32', () => new Handmade().header(1, 0).tensor('a', [1], 0, 8)],
  ])('%s: %s', (code, message, build) => {
    const path = build().save();
    const error = userError(() => openGguf(path));
    expect(error.what).toContain(message);
    expect(error.code).toBe(code);
    expect(error.where).toContain(path);
  });

  it.each([
    [22, /^take a GGUF of this model in one of .*Q4_K.*, or its Hugging Face folder$/],
    [999, /newer than this Anneal: fetch it again, or take the Hugging Face folder/],
  ])('says what to do about a tensor of type %i', (type, next) => {
    const path = new Handmade().header(1, 0).tensor('a', [256], type, 0).save();
    expect(userError(() => openGguf(path)).next).toMatch(next);
  });

  it('refuses bytes between tensors that no alignment asks for', () => {
    const path = new Handmade().header(2, 0).tensor('a', [4], 0, 0).tensor('b', [4], 0, 64).save(96);
    expect(userError(() => openGguf(path)).what).toContain('32 bytes before it belong to no tensor');
    const later = new Handmade().header(1, 0).tensor('a', [4], 0, 32).save(96);
    expect(userError(() => openGguf(later)).what).toContain('32 bytes before it belong to no tensor');
  });

  it('refuses tensors that overlap', () => {
    const path = new Handmade().header(2, 0).tensor('a', [16], 0, 0).tensor('b', [16], 0, 32).save(96);
    expect(userError(() => openGguf(path)).what).toContain('it overlaps another tensor');
  });

  it('names the key and what it found when metadata has another type', () => {
    const metadata = new Map<string, GgufValue>([
      ['number', { type: 'uint64', value: 5n }],
      ['huge', { type: 'uint64', value: 2n ** 60n }],
      ['string', { type: 'string', value: 'x' }],
      ['list', { type: 'array', items: 'int8', value: Int8Array.of(-1) }],
    ]);
    expect(metadataNumber(metadata, 'number', 'p')).toBe(5);
    expect(metadataNumbers(metadata, 'list', 'p')).toEqual([-1]);
    expect(metadataString(metadata, 'absent', 'p')).toBeUndefined();
    const wrong = [
      () => metadataNumber(metadata, 'huge', 'p'),
      () => metadataNumber(metadata, 'string', 'p'),
      () => metadataString(metadata, 'number', 'p'),
      () => metadataBoolean(metadata, 'string', 'p'),
      () => metadataStrings(metadata, 'list', 'p'),
      () => metadataNumbers(metadata, 'string', 'p'),
    ];
    for (const action of wrong) expect(userError(action)).toMatchObject({ code: 'gguf_metadata_type', where: 'p' });
  });
});

describe('writing', () => {
  it('refuses rows that are not whole blocks', async () => {
    await expect(writeGguf(file, none, [tensor('a', 'Q8_0', [32, 33])])).rejects.toMatchObject({
      code: 'gguf_row_not_whole_blocks',
    });
  });

  it('leaves the old file and nothing else when it fails half way', async () => {
    const own = join(folder, 'own');
    const path = join(own, 'model.gguf');
    await writeGguf(path, none, [tensor('a', 'F32', [4])]);
    const before = readFileSync(path);
    const bad = { ...tensor('b', 'F32', [4]), bytes: () => Promise.reject(new Error('stopped')) };
    await expect(writeGguf(path, none, [tensor('a', 'F32', [4]), bad])).rejects.toThrow('stopped');
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(own)).toEqual(['model.gguf']);
  });

  it('insists on the order and the sizes of the table', async () => {
    const table = [tensor('a', 'F32', [4]), tensor('b', 'F32', [4])];
    const writer = await GgufWriter.create(file, none, table);
    await expect(writer.write('b', new Uint8Array(16))).rejects.toThrow('b written where a is due');
    await expect(writer.write('a', new Uint8Array(17))).rejects.toThrow('a: 17 bytes of 16');
    await writer.abort();
    const unfinished = await GgufWriter.create(file, none, table);
    await expect(unfinished.commit()).rejects.toThrow('a has not been written');
    await unfinished.abort();
  });
});
