import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { writeAtomically } from '../files/atomicWrite.ts';
import type { DType } from '../tensor.ts';
import { ELEMENT_BYTES, elementCount } from '../tensor.ts';
import type { ShardIndex } from './shardIndex.ts';
import { shardName } from './shardIndex.ts';

export interface TensorShape {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  /** Neighbors with the same one are in one file: parts of one matrix, which readers want together. */
  readonly unit?: string;
}

export interface TensorToWrite extends TensorShape {
  /** Little-endian bytes, all of them or piece by piece; asked for once, when it is this tensor's turn, and not kept. */
  readonly bytes: () => Uint8Array | Promise<Uint8Array> | AsyncIterable<Uint8Array>;
}

export interface WriteOptions {
  /** `__metadata__`; transformers wants `{ format: 'pt' }` in a model, the default. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Start a new file when this many bytes of tensors would be passed. Without it, everything goes into `path`. */
  readonly shardBytes?: number;
}

/**
 * Writes tensors one at a time to `path` (`….safetensors`), or to shards beside it and an index under Hugging Face's names.
 * Every file appears only when it is complete; the index comes last.
 * @returns the files written, in order
 * @throws UserError when the disk is full or the path cannot be written
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  { metadata = { format: 'pt' }, shardBytes = Number.POSITIVE_INFINITY }: WriteOptions = {},
): Promise<string[]> {
  checkRequest(path, tensors);
  const shards = splitIntoShards(tensors, shardBytes);
  if (shards.length <= 1) {
    await writeFile(path, tensors, metadata);
    await rm(`${path}.index.json`, { force: true }); // of an older checkpoint under this name
    return [path];
  }
  const files = namesOf(path, shards).map((name) => join(dirname(path), name));
  for (const [i, shard] of shards.entries()) await writeFile(files[i] as string, shard, metadata);
  const indexPath = `${path}.index.json`;
  await writeAtomically(indexPath, (file) => file.write(Buffer.from(indexText(path, shards))));
  await rm(path, { force: true }); // readers prefer the single file
  return [...files, indexPath];
}

/** The bytes of all files that `writeSafetensors` makes of these. */
export function safetensorsBytes(
  path: string,
  tensors: readonly TensorShape[],
  { metadata = { format: 'pt' }, shardBytes = Number.POSITIVE_INFINITY }: WriteOptions = {},
): number {
  const split = splitIntoShards(tensors, shardBytes);
  const shards = split.length <= 1 ? [tensors] : split;
  const index = split.length <= 1 ? 0 : Buffer.byteLength(indexText(path, shards));
  const headers = shards.reduce((sum, shard) => sum + encodeHeader(inFileOrder(shard), metadata).length, 0);
  return index + headers + totalBytes(tensors);
}

function namesOf(path: string, shards: readonly unknown[]): string[] {
  return shards.map((_, i) => shardName(basename(path), i + 1, shards.length));
}

function indexText(path: string, shards: readonly (readonly TensorShape[])[]): string {
  const names = namesOf(path, shards);
  const index: ShardIndex = {
    metadata: { total_size: totalBytes(shards.flat()) },
    weight_map: Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ name }) => [name, names[i] as string]))),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

/** In the given order, a new shard whenever the next tensor, or unit of them, would pass the limit. */
function splitIntoShards<Tensor extends TensorShape>(tensors: readonly Tensor[], shardBytes: number): Tensor[][] {
  const shards: Tensor[][] = [];
  let room = 0;
  for (const unit of unitsOf(tensors)) {
    const size = totalBytes(unit);
    const last = shards.at(-1);
    if (last === undefined || size > room) {
      shards.push(unit);
      room = shardBytes - size;
    } else {
      last.push(...unit);
      room -= size;
    }
  }
  return shards;
}

function unitsOf<Tensor extends TensorShape>(tensors: readonly Tensor[]): Tensor[][] {
  const units: Tensor[][] = [];
  for (const tensor of tensors) {
    const last = units.at(-1);
    if (last && tensor.unit !== undefined && last[0]?.unit === tensor.unit) last.push(tensor);
    else units.push([tensor]);
  }
  return units;
}

async function writeFile(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const ordered = inFileOrder(tensors);
  await writeAtomically(path, async (file) => {
    await file.write(encodeHeader(ordered, metadata));
    for (const tensor of ordered) {
      const start = file.position;
      const bytes = await tensor.bytes();
      for await (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) await file.write(piece);
      if (file.position - start !== byteLength(tensor)) {
        throw new Error(`${tensor.name}: ${file.position - start} bytes for ${tensor.dtype} [${tensor.shape}]`);
      }
    }
  });
}

/** Wider elements first, so that every tensor is aligned for its type in a reader that maps the file. */
function inFileOrder<Tensor extends TensorShape>(tensors: readonly Tensor[]): Tensor[] {
  return [...tensors].sort((a, b) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype]);
}

function encodeHeader(tensors: readonly TensorShape[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let position = 0;
  for (const tensor of tensors) {
    const end = position + byteLength(tensor);
    entries.push([tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [position, end] }]);
    position = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / 8) * 8; // the format allows trailing spaces; the data then starts aligned
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded));
  json.copy(header, 8);
  return header;
}

function checkRequest(path: string, tensors: readonly TensorToWrite[]): void {
  if (!path.endsWith('.safetensors')) {
    throw new UserError({
      what: 'the name of a safetensors file must end in .safetensors',
      where: path,
      next: 'rename it',
      code: 'safetensors_extension',
    });
  }
  const names = new Set(tensors.map(({ name }) => name));
  if (names.size !== tensors.length || names.has('__metadata__')) throw new Error(`${path}: two tensors share a name`);
}

function totalBytes(tensors: readonly TensorShape[]): number {
  return tensors.reduce((sum, tensor) => sum + byteLength(tensor), 0);
}

function byteLength({ dtype, shape }: TensorShape): number {
  return elementCount(shape) * ELEMENT_BYTES[dtype];
}
