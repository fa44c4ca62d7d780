import { UserError } from '../errors.ts';
import type { RandomAccessFile } from '../files/randomAccess.ts';
import { LIMITS } from '../limits.ts';
import type { TensorInfo } from '../tensor.ts';
import { elementCount } from '../tensor.ts';
import { Cursor } from './cursor.ts';
import { invalidGguf } from './errors.ts';
import type { GgufArray, GgufMetadata, GgufValue, NumericArray, NumericType, ValueType } from './metadata.ts';
import { metadataNumber, NUMERIC_ARRAYS, VALUE_TYPES } from './metadata.ts';
import type { GgmlType } from './tensorTypes.ts';
import { ggmlTypeName, unitOf } from './tensorTypes.ts';

export const GGUF_MAGIC = 0x46554747; // "GGUF"
export const DEFAULT_ALIGNMENT = 32;

export interface GgufInfo extends TensorInfo {
  readonly dtype: GgmlType;
  /** First byte, counted from the start of the file. */
  readonly position: number;
}

export interface GgufHeader {
  readonly version: 2 | 3;
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufInfo>;
}

/**
 * Layout: magic · version · tensor count · key count · key-value pairs · tensor table · padding · data.
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function readHeader(file: RandomAccessFile): GgufHeader {
  const { path } = file;
  const cursor = new Cursor(file);
  if (cursor.uint32('the magic') !== GGUF_MAGIC) throw invalidGguf('it does not begin with "GGUF"', path);
  const version = checkVersion(cursor.uint32('the version'), path);
  const tensorCount = cursor.size('tensor count', LIMITS.tensors);
  const keyCount = cursor.size('key count', LIMITS.ggufKeys);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < keyCount; i++) {
    const key = cursor.string(`key ${i}`, LIMITS.nameBytes);
    if (metadata.has(key)) throw invalidGguf(`the key ${key} appears twice`, path);
    metadata.set(key, readValue(cursor, readType(cursor, key, path), key, path));
  }
  refuseSplit(metadata, path);

  cursor.expect(tensorCount, 24, 'the tensor table');
  const table = Array.from({ length: tensorCount }, (_, i) => readTensorEntry(cursor, i, path));
  const alignment = readAlignment(metadata, path);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;

  const tensors = new Map<string, GgufInfo>();
  for (const { offset, ...entry } of table) {
    const where = `${path}: tensor ${JSON.stringify(entry.name)}`;
    if (tensors.has(entry.name)) throw invalidGguf('its name appears twice', where);
    if (offset % alignment !== 0) throw invalidGguf(`its offset ${offset} is not a multiple of ${alignment}`, where);
    tensors.set(entry.name, { ...entry, position: dataStart + offset });
  }
  checkTiling([...tensors.values()], dataStart, alignment, file);
  return { version, metadata, tensors };
}

function checkVersion(version: number, path: string): 2 | 3 {
  if (version === 2 || version === 3) return version;
  if (version === 0x02000000 || version === 0x03000000) {
    throw new UserError({
      what: 'this GGUF is written for big-endian machines',
      where: path,
      next: 'take the little-endian file',
      code: 'gguf_big_endian',
    });
  }
  throw new UserError({
    what: `GGUF version ${version} is not supported`,
    where: path,
    next: 'convert it to version 3 with a current llama.cpp',
    code: 'gguf_version',
  });
}

function refuseSplit(metadata: GgufMetadata, path: string): void {
  if ((metadataNumber(metadata, 'split.count', path) ?? 1) <= 1) return;
  throw new UserError({
    what: 'this is one part of a GGUF that was split into several',
    where: path,
    next: 'join the parts with llama-gguf-split --merge',
    code: 'gguf_split',
  });
}

function readType(cursor: Cursor, key: string, path: string): ValueType {
  const number = cursor.uint32(`the type of ${key}`);
  const type = VALUE_TYPES[number];
  if (type === undefined) throw invalidGguf(`${key} has the unknown type ${number}`, path);
  return type;
}

function readValue(cursor: Cursor, type: ValueType, key: string, path: string): GgufValue {
  switch (type) {
    case 'string':
      return { type, value: cursor.string(key, LIMITS.ggufStringBytes) };
    case 'bool':
      return { type, value: cursor.take(1, key)[0] !== 0 };
    case 'array':
      return readArray(cursor, key, path, 1);
    default:
      return { type, value: readNumbers(cursor, type, 1, key)[0] } as GgufValue;
  }
}

function readArray(cursor: Cursor, key: string, path: string, depth: number): GgufArray {
  if (depth > LIMITS.ggufArrayDepth)
    throw invalidGguf(`${key} nests arrays deeper than ${LIMITS.ggufArrayDepth}`, path);
  const type = 'array';
  const items = readType(cursor, key, path);
  const count = cursor.size(`length of ${key}`, LIMITS.ggufArrayItems);
  switch (items) {
    case 'string':
      cursor.expect(count, 8, key);
      return { type, items, value: Array.from({ length: count }, () => cursor.string(key, LIMITS.ggufStringBytes)) };
    case 'bool':
      return { type, items, value: Array.from(cursor.take(count, key), (byte) => byte !== 0) };
    case 'array':
      cursor.expect(count, 12, key);
      return { type, items, value: Array.from({ length: count }, () => readArray(cursor, key, path, depth + 1)) };
    default:
      return { type, items, value: readNumbers(cursor, items, count, key) };
  }
}

function readNumbers(cursor: Cursor, type: NumericType, count: number, key: string): NumericArray {
  const numbers = NUMERIC_ARRAYS[type];
  const bytes = Uint8Array.from(cursor.take(count * numbers.BYTES_PER_ELEMENT, key)); // a copy, and aligned
  return new numbers(bytes.buffer);
}

function readTensorEntry(cursor: Cursor, index: number, path: string) {
  const name = cursor.string(`name of tensor ${index}`, LIMITS.nameBytes);
  const where = `${path}: tensor ${JSON.stringify(name)}`;
  const rank = cursor.uint32(`rank of ${name}`);
  if (rank > LIMITS.rank) throw invalidGguf(`it has ${rank} dimensions, more than ${LIMITS.rank}`, where);
  const innermostFirst = Array.from({ length: rank }, () => cursor.size(`a dimension of ${name}`, LIMITS.dimension));
  const dtype = ggmlTypeName(cursor.uint32(`type of ${name}`), where);
  const offset = cursor.size(`offset of ${name}`, Number.MAX_SAFE_INTEGER);

  const shape = innermostFirst.toReversed();
  const unit = unitOf(dtype);
  const rowLength = innermostFirst[0] ?? 1;
  if (rowLength % unit.length !== 0) {
    throw invalidGguf(`its rows of ${rowLength} are not whole blocks of ${unit.length} as ${dtype} needs`, where);
  }
  return { name, shape, dtype, byteLength: (elementCount(shape) / unit.length) * unit.bytes, offset };
}

function readAlignment(metadata: GgufMetadata, path: string): number {
  const alignment = metadataNumber(metadata, 'general.alignment', path) ?? DEFAULT_ALIGNMENT;
  const isPowerOfTwo = Number.isInteger(Math.log2(alignment));
  if (!isPowerOfTwo || alignment < 1 || alignment > LIMITS.ggufAlignment) {
    throw invalidGguf(`general.alignment is ${alignment}, not a power of two up to ${LIMITS.ggufAlignment}`, path);
  }
  return alignment;
}

/** One tensor after the other, with no more between them than the alignment asks for: ggml reads no others. */
function checkTiling(infos: readonly GgufInfo[], dataStart: number, alignment: number, file: RandomAccessFile): void {
  let end = dataStart;
  for (const info of infos.toSorted((a, b) => a.position - b.position || a.byteLength - b.byteLength)) {
    const where = `${file.path}: tensor ${JSON.stringify(info.name)}`;
    if (info.position < end) throw invalidGguf('it overlaps another tensor', where);
    const surplus = info.position - Math.ceil(end / alignment) * alignment;
    if (surplus > 0) throw invalidGguf(`${surplus} bytes before it belong to no tensor`, where);
    end = info.position + info.byteLength;
    if (end > file.size) {
      throw new UserError({
        what: `the file is cut off: the tensor ends at byte ${end}, the file at ${file.size}`,
        where,
        next: 'download the file again',
        code: 'gguf_truncated',
      });
    }
  }
}
