import { UserError } from '../errors.ts';
import { isJsonObject, parseJsonObject } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { DType, TensorInfo } from '../tensor.ts';
import { ELEMENT_BYTES, elementCount } from '../tensor.ts';

export interface SafetensorsInfo extends TensorInfo {
  readonly dtype: DType;
  /** First byte, counted from the start of the file. */
  readonly position: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Checks and types a header. Layout: u64 header length · JSON · data; the tensors must tile the data exactly.
 * https://github.com/huggingface/safetensors#format
 * @param json the JSON bytes
 * @param dataStart position of the first data byte in the file
 * @param fileSize bytes in the file
 */
export function parseHeader(json: Uint8Array, dataStart: number, fileSize: number, path: string): SafetensorsHeader {
  if (json[0] !== 0x7b) throw invalid('the header does not begin with {', path);
  const { __metadata__: rawMetadata, ...entries } = parseJsonObject(json, `${path}: header`);
  const names = Object.keys(entries);
  if (names.length > LIMITS.tensors) throw invalid(`${names.length} tensors, more than ${LIMITS.tensors}`, path);

  const infos = names.map((name) => parseEntry(name, entries[name], dataStart, path));
  checkTiling(infos, dataStart, fileSize, path);
  return { tensors: new Map(infos.map((info) => [info.name, info])), metadata: parseMetadata(rawMetadata, path) };
}

function parseEntry(name: string, entry: unknown, dataStart: number, path: string): SafetensorsInfo {
  const where = `${path}: tensor ${JSON.stringify(name.slice(0, 200))}`;
  if (name === '' || name.length > LIMITS.nameBytes) throw invalid('its name is empty or too long', where);
  if (!isJsonObject(entry)) throw invalid('its entry is not an object', where);
  const { dtype, shape, data_offsets: offsets } = entry;

  if (typeof dtype !== 'string' || !isDType(dtype)) {
    const known = Object.keys(ELEMENT_BYTES).join(', ');
    throw invalid(`dtype ${JSON.stringify(dtype)} is not one of ${known}`, where, 'convert the tensor to one of these');
  }
  if (!Array.isArray(shape) || shape.length > LIMITS.rank || !shape.every(isDimension)) {
    throw invalid(`shape ${JSON.stringify(shape)?.slice(0, 200)} is not a list of at most ${LIMITS.rank} sizes`, where);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isOffset)) {
    throw invalid('data_offsets is not a pair of byte positions', where);
  }
  const [begin, end] = offsets as [number, number];
  const byteLength = elementCount(shape) * ELEMENT_BYTES[dtype];
  if (end - begin !== byteLength) {
    throw invalid(
      `shape [${shape}] of ${dtype} takes ${byteLength} bytes, but data_offsets give ${end - begin}`,
      where,
    );
  }
  return { name, dtype, shape, byteLength, position: dataStart + begin };
}

/** No overlap, no gap, nothing outside the file and nothing after the last tensor. */
function checkTiling(infos: readonly SafetensorsInfo[], dataStart: number, fileSize: number, path: string): void {
  let expected = dataStart;
  let previous = 'the header';
  for (const info of [...infos].sort((a, b) => a.position - b.position || a.byteLength - b.byteLength)) {
    const where = `${path}: tensor ${JSON.stringify(info.name)}`;
    if (info.position < expected) throw invalid(`it overlaps ${previous}`, where);
    if (info.position > expected)
      throw invalid(`${info.position - expected} bytes before it belong to no tensor`, where);
    expected = info.position + info.byteLength;
    previous = `tensor ${JSON.stringify(info.name)}`;
    if (expected > fileSize) {
      throw new UserError({
        what: `the file is cut off: the tensor ends at byte ${expected}, the file at ${fileSize}`,
        where,
        next: 'download or write the file again',
        code: 'safetensors_truncated',
      });
    }
  }
  if (expected !== fileSize)
    throw invalid(`${fileSize - expected} bytes after the last tensor belong to no tensor`, path);
}

function parseMetadata(value: unknown, path: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value) || !Object.values(value).every((item) => typeof item === 'string')) {
    throw invalid('__metadata__ is not a map from strings to strings', path);
  }
  return value as Record<string, string>;
}

function isDType(value: string): value is DType {
  return Object.hasOwn(ELEMENT_BYTES, value);
}

function isDimension(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LIMITS.dimension;
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function invalid(what: string, where: string, next = 'download or write the file again'): UserError {
  return new UserError({ what: `not a valid safetensors file: ${what}`, where, next, code: 'safetensors_invalid' });
}
