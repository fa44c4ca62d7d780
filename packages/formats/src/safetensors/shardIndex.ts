import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { readSmallFile } from '../files/randomAccess.ts';
import { isJsonObject, parseJsonObject } from '../json.ts';
import { LIMITS } from '../limits.ts';

/** `model.safetensors.index.json` as Hugging Face writes it. */
export interface ShardIndex {
  metadata: { total_size: number };
  /** Tensor name → file name in the same folder. */
  weight_map: Record<string, string>;
}

/** File name → the names of the tensors in it. */
export function readShardIndex(path: string): Map<string, Set<string>> {
  const { weight_map: weightMap } = parseJsonObject(readSmallFile(path, LIMITS.indexBytes), path);
  if (!isJsonObject(weightMap)) throw invalidIndex('it has no weight_map', path);
  const entries = Object.entries(weightMap);
  if (entries.length > LIMITS.tensors)
    throw invalidIndex(`${entries.length} tensors, more than ${LIMITS.tensors}`, path);

  const shards = new Map<string, Set<string>>();
  for (const [name, file] of entries) {
    // A shard lies beside its index: anything else could reach files that are none of its business.
    if (typeof file !== 'string' || !file.endsWith('.safetensors') || basename(file) !== file || file.includes('\\')) {
      throw invalidIndex(
        `${JSON.stringify(name)} is in ${JSON.stringify(file)}, not a .safetensors file beside it`,
        path,
      );
    }
    const names = shards.get(file);
    if (names === undefined) shards.set(file, new Set([name]));
    else names.add(name);
  }
  return shards;
}

/** `model.safetensors`, 2, 3 → `model-00002-of-00003.safetensors`. */
export function shardName(file: string, number: number, count: number): string {
  return `${file.slice(0, -'.safetensors'.length)}-${fiveDigits(number)}-of-${fiveDigits(count)}.safetensors`;
}

function fiveDigits(value: number): string {
  return String(value).padStart(5, '0');
}

function invalidIndex(what: string, where: string): UserError {
  return new UserError({
    what: `not a valid index of shards: ${what}`,
    where,
    next: 'download the index again',
    code: 'shard_index_invalid',
  });
}
