import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_FILE, verifyTokenStore } from '@anneal/core/datasets/storeManifest';
import { hashOf, idOfWord, openTokenStore, type TokenStore } from '@anneal/core/datasets/tokenStore';

/**
 * How many of the documents a run has trained on: their loss says what was memorized, not what was learned. Null where the
 * run's own tokens are gone.
 * @throws UserError `token_cache_damaged`
 */
export async function trainedDocuments(runPath: string, measured: TokenStore): Promise<number | null> {
  const folder = join(runPath, 'data');
  if (!existsSync(join(folder, MANIFEST_FILE))) return null;
  await verifyTokenStore(folder, { unsealed: true });
  const trained = openTokenStore(folder, 'train');
  try {
    const seen = new Set(hashes(trained));
    return hashes(measured).filter((hash) => seen.has(hash)).length;
  } finally {
    trained.close();
  }
}

/** Of the ids alone: another loss mask makes no other text of a row. */
function hashes(store: TokenStore): bigint[] {
  return Array.from({ length: store.count }, (_, i) => hashOf([store.words(i).map((word) => idOfWord(word))]));
}
