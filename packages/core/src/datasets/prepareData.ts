import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AtomicFile, writeAtomically } from '@anneal/formats/files/atomicWrite';
import { sourcesOf } from './chatRenderer.ts';
import { DataPass } from './dataPass.ts';
import type { DatasetInput, PreparedData, PrepareOptions } from './preparedData.ts';
import { summaryOf } from './preparedSummary.ts';
import {
  MANIFEST_FILE,
  openTokenStore,
  readManifest,
  sealManifest,
  type TokenStore,
  TokenStoreWriter,
  verifyTokenStore,
} from './tokenStore.ts';

export type { DatasetInput, PreparedData, PrepareOptions, PrepareProgress } from './preparedData.ts';
export type { PreparedSummary } from './preparedSummary.ts';

const DROPPED_FILE = 'dropped.jsonl';
/**
 * Reads, renders, tokenizes and judges every row, and leaves the tokens in `folder`; a cache of the same inputs is used as it is.
 * @throws UserError for unreadable data, rows over `sequenceLen` with `raise`, and when nothing would be trained
 */
export async function prepareData(options: PrepareOptions): Promise<PreparedData> {
  const key = cacheKey(options);
  const cached = await readCache(options.folder, key);
  if (cached !== null) return { ...cached, reused: true };
  await rm(join(options.folder, MANIFEST_FILE), { force: true });
  const pass = new DataPass(options, await TokenStoreWriter.create(options.folder));
  const list = await AtomicFile.create(join(options.folder, DROPPED_FILE));
  try {
    const inputs = [...options.datasets, ...(options.validationDatasets ?? [])];
    for (const [dataset, input] of inputs.entries()) {
      for (const file of input.files) await pass.addFile(dataset, input, file, list);
    }
    await list.commit();
    const manifest = await pass.finish(key);
    await writeAtomically(join(options.folder, MANIFEST_FILE), (file) =>
      file.write(Buffer.from(sealManifest(manifest))),
    );
  } catch (error) {
    await pass.abort();
    await list.abort();
    throw error;
  }
  const prepared = await readCache(options.folder, key, { verify: false });
  if (prepared === null) throw new Error('the token cache that was just written is not there');
  return { ...prepared, reused: false };
}

/** Everything the tokens depend on. Files are told apart by size and time, so that reopening does not read them. */
function cacheKey(options: PrepareOptions): string {
  const { tokenizer, renderer, sequenceLen, excessLength, deduplicate, validationSize, seed } = options;
  const parts = {
    version: 4,
    datasets: options.datasets.map(identityOf),
    validationDatasets: (options.validationDatasets ?? []).map(identityOf),
    tokenizer: tokenizer.fingerprint,
    eos: tokenizer.eos,
    renderer: renderer && {
      sources: sourcesOf(renderer),
      endTokens: renderer.endTokens,
      options: renderer.options,
    },
    judge: { sequenceLen, excessLength, deduplicate, validationSize, seed },
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function identityOf(dataset: DatasetInput): unknown {
  const files = dataset.files.map((path) => {
    const status = statSync(path, { throwIfNoEntry: false });
    return [path, status?.size, status?.mtimeMs];
  });
  return { ...dataset, files };
}

/** @throws UserError `token_cache_damaged` */
async function readCache(
  folder: string,
  key: string,
  { verify = true } = {},
): Promise<Omit<PreparedData, 'reused'> | null> {
  if (!existsSync(join(folder, MANIFEST_FILE))) return null;
  const manifest = readManifest(folder);
  if (manifest.key !== key) return null;
  if (verify) await verifyTokenStore(folder);
  const train = openTokenStore(folder, 'train');
  let validation: TokenStore | null = null;
  try {
    if (manifest.validation > 0) validation = openTokenStore(folder, 'validation');
    const summary = summaryOf(folder, manifest, train, validation);
    return { folder, train, validation, summary, droppedFile: join(folder, DROPPED_FILE) };
  } catch (error) {
    train.close();
    validation?.close();
    throw error;
  }
}
