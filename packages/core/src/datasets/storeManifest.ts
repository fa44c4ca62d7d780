/** What stands beside the tokens of prepared data, and whether all of it is as it was written. */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
import { LIMITS } from '@anneal/formats/limits';
import { z } from 'zod';
import { sha256OfFile } from '../fileHash.ts';

/** Documents are numbered in 32 bits. */
const count = z.int().min(0);
const documentCount = count.max(2 ** 32 - 1);

/** Of the layout of the tokens' file, the newest: 1 had no sides, 2 has no margins. */
const STORE_VERSION = 3;

export const TOKENS_FILE = 'tokens.bin';
export const MANIFEST_FILE = 'manifest.json';
/** The rows that are not trained as they are, beside the tokens. */
export const DROPPED_FILE = 'dropped.jsonl';
/** What became of each row, in numbers (`RowTable`). */
export const ROWS_FILE = 'rows.bin';

const manifestSchema = z.looseObject({
  version: z.int().min(1).max(STORE_VERSION),
  /** Hash of everything the tokens depend on. */
  key: z.string(),
  tokens: count,
  documents: documentCount,
  /** Documents of an epoch, repeated ones counted as often as they stand in it. */
  train: documentCount,
  validation: documentCount,
  /** Of the file of tokens, which is checked before it is trained on again. */
  sha256: z.string(),
  files: z.array(z.string()).readonly(),
  /** `PreparedSummary`. */
  summary: z.unknown(),
  /** Of the files beside it, by their names; absent from what older versions wrote. */
  beside: z.partialRecord(z.enum([ROWS_FILE, DROPPED_FILE]), z.string()).optional(),
  /** Bytes of the same files: one with a hole may have the size of a disk, and takes as long to hash. */
  sizes: z.partialRecord(z.enum([ROWS_FILE, DROPPED_FILE]), count).optional(),
});

/** What `manifest.json` beside the tokens says about them; written last, so that its presence means: complete. */
export type StoreManifest = Readonly<z.infer<typeof manifestSchema>>;

/** The manifest as text, with a checksum of its own, so that no number in it can change unnoticed. */
export function sealManifest(manifest: StoreManifest): string {
  return JSON.stringify({ ...manifest, checksum: checksumOf(manifest) });
}

/** @throws UserError `token_cache_damaged` */
export function readManifest(folder: string): StoreManifest {
  const path = join(folder, MANIFEST_FILE);
  refuseSpecialFile(path);
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(readSmallFile(path, LIMITS.indexBytes)).toString());
  } catch (cause) {
    throw damagedStore(folder, `${MANIFEST_FILE} cannot be read (${(cause as Error).message})`);
  }
  const { success, data, error } = manifestSchema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  throw damagedStore(folder, `${MANIFEST_FILE}: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}`);
}

/**
 * Reads every byte of a store that an earlier process left, and of the files beside it.
 * @param options.unsealed whether a manifest without a checksum will do, as older versions wrote it
 * @throws UserError `token_cache_damaged`
 */
export async function verifyTokenStore(
  folder: string,
  { unsealed = false, signal }: { unsealed?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { checksum, ...manifest } = readManifest(folder) as StoreManifest & { checksum?: string };
  const isSealed = checksum === checksumOf(manifest) || (unsealed && checksum === undefined);
  if (!isSealed) throw damagedStore(folder, `${MANIFEST_FILE} is not as it was written`);
  for (const [name, sha256] of Object.entries({ [TOKENS_FILE]: manifest.sha256, ...manifest.beside })) {
    const path = join(folder, name);
    refuseSpecialFile(path);
    if (!existsSync(path)) throw damagedStore(folder, `${name} is not there`);
    const { size } = statSync(path);
    const expected = manifest.sizes?.[name as keyof typeof manifest.sizes] ?? size;
    if (size !== expected) throw damagedStore(folder, `${name} has ${size} bytes, ${MANIFEST_FILE} says ${expected}`);
    if (name === TOKENS_FILE) refuseOtherSize(folder, size, manifest);
    if ((await sha256OfFile(path, signal)) !== sha256) throw damagedStore(folder, `${name} is not as it was written`);
  }
}

export function damagedStore(folder: string, what: string): UserError {
  return new UserError({
    what: `the prepared data are damaged: ${what}`,
    where: folder,
    next: 'delete this folder; the data are prepared again',
    code: 'token_cache_damaged',
  });
}

function checksumOf(manifest: StoreManifest): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}

/** Where in the file the index of the documents begins, and the lists of their numbers. */
export function placesOf({ version, tokens, documents }: StoreManifest): { indexAt: number; listAt: number } {
  const indexAt = Math.ceil(tokens / 2) * 8;
  return { indexAt, listAt: indexAt + documents * (20 + 4 * version) };
}

export function refuseOtherSize(folder: string, size: number, manifest: StoreManifest): void {
  const expected = placesOf(manifest).listAt + 4 * (manifest.train + manifest.validation);
  if (size !== expected)
    throw damagedStore(folder, `${TOKENS_FILE} has ${size} bytes, ${MANIFEST_FILE} speaks of ${expected}`);
}
