import { UserError } from '../errors.ts';

/** gguf_metadata_value_type, in the order of its numbers 0–12. */
export const VALUE_TYPES = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const;

export type ValueType = (typeof VALUE_TYPES)[number];

/** A metadata value with the type it has in the file, so that nothing is lost by reading and writing it again. */
export type GgufValue =
  | {
      readonly type: 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';
      readonly value: number;
    }
  | { readonly type: 'uint64' | 'int64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | GgufArray;

export type GgufArray =
  | { readonly type: 'array'; readonly items: NumericType; readonly value: NumericArray }
  | { readonly type: 'array'; readonly items: 'bool'; readonly value: readonly boolean[] }
  | { readonly type: 'array'; readonly items: 'string'; readonly value: readonly string[] }
  | { readonly type: 'array'; readonly items: 'array'; readonly value: readonly GgufArray[] };

export type NumericType = Exclude<ValueType, 'bool' | 'string' | 'array'>;

export const NUMERIC_ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float64: Float64Array,
} as const;

export type NumericArray = InstanceType<(typeof NUMERIC_ARRAYS)[NumericType]>;

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** The value's number, whatever integer or float type it was stored in. */
export function metadataNumber(metadata: GgufMetadata, key: string, path: string): number | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  const number = typeof entry.value === 'bigint' ? Number(entry.value) : entry.value;
  if (typeof number !== 'number' || (typeof entry.value === 'bigint' && !Number.isSafeInteger(number))) {
    throw wrongType(key, 'a number', entry, path);
  }
  return number;
}

export function metadataString(metadata: GgufMetadata, key: string, path: string): string | undefined {
  const entry = metadata.get(key);
  if (entry !== undefined && entry.type !== 'string') throw wrongType(key, 'a string', entry, path);
  return entry?.value;
}

export function metadataBoolean(metadata: GgufMetadata, key: string, path: string): boolean | undefined {
  const entry = metadata.get(key);
  if (entry !== undefined && entry.type !== 'bool') throw wrongType(key, 'a boolean', entry, path);
  return entry?.value;
}

export function metadataStrings(metadata: GgufMetadata, key: string, path: string): readonly string[] | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== 'array' || entry.items !== 'string') throw wrongType(key, 'a list of strings', entry, path);
  return entry.value;
}

export function metadataNumbers(metadata: GgufMetadata, key: string, path: string): readonly number[] | undefined {
  const entry = metadata.get(key);
  if (entry === undefined) return undefined;
  if (entry.type !== 'array' || entry.items === 'bool' || entry.items === 'string' || entry.items === 'array') {
    throw wrongType(key, 'a list of numbers', entry, path);
  }
  return Array.from(entry.value, Number);
}

function wrongType(key: string, wanted: string, entry: GgufValue, path: string): UserError {
  const found =
    entry.type === 'array' ? `an array of ${entry.items}` : `${entry.type} ${String(entry.value).slice(0, 80)}`;
  return new UserError({
    what: `${key} should be ${wanted}, but is ${found}`,
    where: path,
    next: 'download or convert the GGUF again',
    code: 'gguf_metadata_type',
  });
}
