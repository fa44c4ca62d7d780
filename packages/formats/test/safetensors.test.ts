import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../src/safetensors/read.ts';
import type { TensorToWrite } from '../src/safetensors/write.ts';
import { writeSafetensors } from '../src/safetensors/write.ts';
import type { DType } from '../src/tensor.ts';
import { ELEMENT_BYTES, elementCount } from '../src/tensor.ts';
import { float32Bytes, temporaryFolder, userError } from './helpers.ts';

const folder = temporaryFolder();
const file = join(folder, 'model.safetensors');

/** A file with this header and so many data bytes, which the writer would never make. */
function handmade(header: unknown, dataBytes: number): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, 'handmade.safetensors');
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('round trip', () => {
  const tensor = fc
    .record({
      dtype: fc.constantFrom(...(Object.keys(ELEMENT_BYTES) as DType[])),
      shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
    })
    .chain(({ dtype, shape }) => {
      const length = elementCount(shape) * ELEMENT_BYTES[dtype];
      return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ dtype, shape, bytes }));
    });
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => text !== '__metadata__');
  const checkpoint = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 8 });
  const metadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 });

  it('gives back names, types, shapes, bytes and metadata', async () => {
    await fc.assert(
      fc.asyncProperty(
        checkpoint,
        metadata,
        fc.option(fc.integer({ min: 1, max: 200 })),
        async (list, notes, shardBytes) => {
          const written: TensorToWrite[] = list.map(([key, { dtype, shape, bytes }]) => ({
            name: key,
            dtype,
            shape,
            bytes: () => bytes,
          }));
          const files = await writeSafetensors(file, written, {
            metadata: notes,
            ...(shardBytes ? { shardBytes } : {}),
          });
          const source = openSafetensors(folder);
          expect(new Set(source.tensors.keys())).toEqual(new Set(list.map(([key]) => key)));
          expect(source.metadata).toEqual(notes);
          for (const [key, { dtype, shape, bytes }] of list) {
            expect(source.tensors.get(key)).toMatchObject({ dtype, shape, byteLength: bytes.length });
            expect(source.bytes(key)).toEqual(bytes);
          }
          source.close();
          for (const path of files) rmSync(path);
        },
      ),
      { seed: 3407, numRuns: 150 },
    );
  });

  it('aligns every tensor for its type', async () => {
    const tensors: TensorToWrite[] = [
      { name: 'a', dtype: 'U8', shape: [3], bytes: () => Uint8Array.of(1, 2, 3) },
      { name: 'b', dtype: 'F32', shape: [1], bytes: () => float32Bytes(1.5) },
      { name: 'c', dtype: 'BF16', shape: [1], bytes: () => Uint8Array.of(0xc0, 0x3f) },
    ];
    await writeSafetensors(file, tensors);
    const source = openSafetensors(file);
    for (const info of source.tensors.values()) expect(info.position % ELEMENT_BYTES[info.dtype]).toBe(0);
    expect([...source.float32('b'), ...source.float32('c')]).toEqual([1.5, 1.5]);
    expect([...source.bytes('a', { first: 1, count: 2 })]).toEqual([2, 3]);
    expect(() => source.bytes('a', { first: 2, count: 2 })).toThrow(RangeError);
    expect(userError(() => source.float32('a')).code).toBe('tensor_not_floating');
    expect(userError(() => source.bytes('d')).code).toBe('tensor_not_found');
    source.close();
  });
});

describe('shards', () => {
  const three: TensorToWrite[] = ['x', 'y', 'z'].map((name, i) => ({
    name,
    dtype: 'F32',
    shape: [2],
    bytes: () => float32Bytes(i, i),
  }));

  it('have the names and the index of Hugging Face', async () => {
    await writeSafetensors(file, three, { shardBytes: 8 });
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith('model'))
        .sort(),
    ).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
    ]);
    expect(JSON.parse(readFileSync(`${file}.index.json`, 'utf8'))).toEqual({
      metadata: { total_size: 24 },
      weight_map: {
        x: 'model-00001-of-00003.safetensors',
        y: 'model-00002-of-00003.safetensors',
        z: 'model-00003-of-00003.safetensors',
      },
    });
  });

  it.each([
    ['shard_missing', (map: Record<string, string>) => ({ ...map, x: 'model-00009-of-00003.safetensors' })],
    ['shard_index_mismatch', (map: Record<string, string>) => ({ ...map, w: map.x })],
    ['shard_index_mismatch', ({ x, y }: Record<string, string>) => ({ x, y: x, z: y })],
    ['shard_index_invalid', (map: Record<string, string>) => ({ ...map, x: '../model.safetensors' })],
    ['shard_index_invalid', (map: Record<string, string>) => ({ ...map, x: '/etc/passwd' })],
    ['shard_index_invalid', (map: Record<string, string>) => ({ ...map, x: 7 })],
    ['shard_index_invalid', () => undefined],
  ])('an index that is wrong gives %s', async (code, change) => {
    await writeSafetensors(file, three, { shardBytes: 8 });
    const index = JSON.parse(readFileSync(`${file}.index.json`, 'utf8'));
    writeFileSync(`${file}.index.json`, JSON.stringify({ ...index, weight_map: change(index.weight_map) }));
    const error = userError(() => openSafetensors(folder));
    expect(error.code).toBe(code);
    expect(error.where).toContain('model.safetensors.index.json');
  });

  it('give way to a single file written later, and the other way round', async () => {
    await writeSafetensors(file, three, { shardBytes: 8 });
    await writeSafetensors(file, three.slice(0, 1));
    expect([...openSafetensors(folder).tensors.keys()]).toEqual(['x']);
    await writeSafetensors(file, three, { shardBytes: 16 });
    expect([...openSafetensors(folder).tensors.keys()]).toEqual(['x', 'y', 'z']);
  });
});

describe('a bad file is refused', () => {
  it.each([
    ['overlap', { a: f32(0, 8), b: f32(4, 12) }, 12, 'overlaps tensor "a"'],
    ['gap', { a: f32(0, 4), b: f32(8, 12) }, 12, '4 bytes before it belong to no tensor'],
    ['rest', { a: f32(0, 4) }, 9, '5 bytes after the last tensor'],
    ['beyond the end', { a: f32(0, 8) }, 4, 'the file is cut off'],
    ['backwards', { a: f32(8, 4) }, 8, 'shape'],
    ['wrong size', { a: f32(0, 8, [3]) }, 8, 'takes 12 bytes, but data_offsets give 8'],
    ['overflowing shape', { a: f32(0, 8, [2 ** 40, 2 ** 40]) }, 8, 'but data_offsets give 8'],
    ['negative dimension', { a: f32(0, 4, [-1]) }, 4, 'shape [-1]'],
    ['fractional dimension', { a: f32(0, 4, [0.5, 2]) }, 4, 'shape [0.5,2]'],
    ['rank', { a: f32(0, 4, Array(9).fill(1)) }, 4, 'at most 8 sizes'],
    ['dtype', { a: { ...f32(0, 4), dtype: 'F8_E4M3' } }, 4, '"F8_E4M3" is not one of'],
    ['dtype of the prototype', { a: { ...f32(0, 4), dtype: 'constructor' } }, 4, '"constructor" is not one of'],
    ['offsets', { a: { ...f32(0, 4), data_offsets: [0, 1e300] } }, 4, 'data_offsets is not a pair'],
    ['entry', { a: 3 }, 0, 'its entry is not an object'],
    ['metadata', { __metadata__: { format: 1 } }, 0, '__metadata__ is not a map'],
    [
      'name twice',
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      0,
      'the key "a" appears twice',
    ],
    ['list', '[]', 0, 'does not begin with {'],
    ['broken JSON', '{"a":', 0, 'JSON'],
    ['nesting', `{"a":${'['.repeat(100)}`, 0, 'nested deeper'],
    ['long name', { ['a'.repeat(2000)]: f32(0, 0) }, 0, 'empty or too long'],
  ])('%s', (_, header, dataBytes, message) => {
    const path = handmade(header, dataBytes);
    const error = userError(() => openSafetensors(path));
    expect(error.what).toContain(message);
    expect(error.where).toContain(path);
    expect(error.next).toBeTruthy();
  });

  it('with invalid UTF-8', () => {
    const path = handmade('{"a?":{}}', 0);
    const bytes = readFileSync(path);
    bytes[8 + 3] = 0xff;
    writeFileSync(path, bytes);
    expect(userError(() => openSafetensors(path)).what).toContain('not valid UTF-8');
  });

  it.each([
    [Buffer.alloc(0), 'too few for a header'],
    [Buffer.alloc(7), 'too few for a header'],
    [Buffer.from([255, 255, 255, 255, 255, 255, 255, 255]), '18446744073709551615 bytes'],
    [Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0x7b]), 'its header ends at byte 16777224, the file at 9'],
  ])('with the length field %j', (bytes, message) => {
    const path = join(folder, 'length.safetensors');
    writeFileSync(path, bytes);
    expect(userError(() => openSafetensors(path)).what).toContain(message);
  });

  it('when it is cut off after it was opened', async () => {
    await writeSafetensors(file, [{ name: 'a', dtype: 'F32', shape: [2], bytes: () => float32Bytes(1, 2) }]);
    const source = openSafetensors(file);
    writeFileSync(file, readFileSync(file).subarray(0, -1));
    expect(userError(() => source.bytes('a')).code).toBe('file_truncated');
  });

  it('when it is not there', () => {
    expect(userError(() => openSafetensors(join(folder, 'no.safetensors'))).code).toBe('file_not_found');
    expect(userError(() => openSafetensors(join(folder, 'no'))).code).toBe('file_not_found');
  });
});

describe('writing', () => {
  it('that fails half way leaves the old file and nothing else', async () => {
    const own = join(folder, 'own');
    const path = join(own, 'model.safetensors');
    const good: TensorToWrite = { name: 'a', dtype: 'F32', shape: [1], bytes: () => float32Bytes(1) };
    await writeSafetensors(path, [good]);
    const before = readFileSync(path);
    const bad: TensorToWrite = { ...good, name: 'b', bytes: () => Promise.reject(new Error('stopped')) };
    await expect(writeSafetensors(path, [good, bad])).rejects.toThrow('stopped');
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(own)).toEqual(['model.safetensors']);
  });

  it('asks for one tensor at a time', async () => {
    const events: string[] = [];
    const tensor = (name: string): TensorToWrite => ({
      name,
      dtype: 'F32',
      shape: [1],
      bytes: async () => {
        events.push(`ask ${name}`);
        await new Promise((resolve) => setTimeout(resolve, 1));
        events.push(`give ${name}`);
        return float32Bytes(1);
      },
    });
    await writeSafetensors(file, ['a', 'b', 'c'].map(tensor));
    expect(events).toEqual(['ask a', 'give a', 'ask b', 'give b', 'ask c', 'give c']);
  });

  it('refuses bytes that are not the shape says, names twice, and other extensions', async () => {
    const tensor: TensorToWrite = { name: 'a', dtype: 'F32', shape: [2], bytes: () => float32Bytes(1) };
    await expect(writeSafetensors(file, [tensor])).rejects.toThrow('4 bytes for F32 [2]');
    await expect(writeSafetensors(file, [tensor, tensor])).rejects.toThrow('share a name');
    await expect(writeSafetensors(join(folder, 'model.bin'), [])).rejects.toMatchObject({
      code: 'safetensors_extension',
    });
  });

  it('says where it cannot write', async () => {
    writeFileSync(join(folder, 'plain'), '');
    const path = join(folder, 'plain', 'model.safetensors');
    await expect(writeSafetensors(path, [])).rejects.toMatchObject({
      code: 'folder_not_writable',
      where: dirname(path),
    });
    expect(existsSync(path)).toBe(false);
  });
});
