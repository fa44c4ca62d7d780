import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AtomicFile, writeAtomically } from '@anneal/formats/files/atomicWrite';
import { diskFull } from '@anneal/formats/files/diskFull';
import { UserError } from '../errors.ts';
import { sha256OfFile } from '../fileHash.ts';
import { formatBytes } from '../formatBytes.ts';
import { type ChatRenderer, sourcesOf } from './chatRenderer.ts';
import { DataPass, rowsTooLong } from './dataPass.ts';
import { dropPrepared, keepPrepared, takePrepared } from './preparedCache.ts';
import type { DatasetInput, PreparedData, PrepareOptions } from './preparedData.ts';
import { type PreparedSummary, summaryOf } from './preparedSummary.ts';
import {
  DROPPED_FILE,
  MANIFEST_FILE,
  ROWS_FILE,
  readManifest,
  sealManifest,
  verifyTokenStore,
} from './storeManifest.ts';
import { openTokenStore, type TokenStore } from './tokenStore.ts';
import { TokenStoreWriter } from './tokenStoreWriter.ts';

export type { DatasetInput, PreparedData, PrepareOptions, PrepareProgress } from './preparedData.ts';
export type { PreparedSummary } from './preparedSummary.ts';

/**
 * Reads, renders, tokenizes and judges every row, and leaves the tokens in `folder`. What lies there, or in the cache, of the same
 * inputs is used as it is.
 * @throws UserError for unreadable data, rows over `sequenceLen` with `raise`, and when nothing would be trained;
 *   `data_not_prepared` with `atAGlance`
 */
export async function prepareData(options: PrepareOptions): Promise<PreparedData> {
  const { folder, cache } = options;
  const key = keyOf(options);
  const there = await readFolder(options, key);
  if (there !== null) return notTooLong({ ...there, reused: true }, options);
  await rm(join(folder, MANIFEST_FILE), { force: true });
  let cacheError: UserError | undefined;
  const unlessBroken = async <T>(use: (cache: string) => Promise<T>): Promise<T | null> => {
    try {
      return cache === undefined || cacheError ? null : await use(cache);
    } catch (error) {
      options.signal?.throwIfAborted();
      cacheError = error instanceof UserError ? error : cacheUnusable(cache as string, error);
      return null;
    }
  };
  let damaged: UserError | undefined;
  const taken = await unlessBroken((from) => takeChecked(from, key, options));
  if (taken instanceof UserError) damaged = taken;
  else if (taken !== null) return notTooLong({ ...taken, reused: true }, options);
  if (options.atAGlance) assertSmall(options, options.atAGlance.mostBytes);
  const prepared = await prepareIn(options, key);
  await unlessBroken((to) => keepPrepared(to, key, folder));
  const error = cacheError ?? damaged;
  return notTooLong({ ...prepared, reused: false, ...(error && { cacheError: error }) }, options);
}

function assertSmall({ datasets, validationDatasets = [] }: PrepareOptions, mostBytes: number): void {
  const files = new Set([...datasets, ...validationDatasets].flatMap((dataset) => dataset.files));
  const bytes = [...files].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  if (bytes <= mostBytes) return;
  throw new UserError({
    what: `the data are not prepared yet: ${formatBytes(bytes)} are to be read`,
    next: 'prepare them, which training would do as well',
    code: 'data_not_prepared',
  });
}

function cacheUnusable(cache: string, cause: unknown): UserError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new UserError({
    what: diskFull(cause) ?? `the cache cannot be used (${code ?? message})`,
    where: cache,
    next: 'make it writable, or remove it',
    code: 'cache_not_writable',
    cause,
  });
}

/**
 * Rows that are too long end the run where the recipe says so. The tokens of the others are kept all the same: they are what
 * `drop` gives, and the next look finds them.
 */
async function notTooLong(
  prepared: PreparedData,
  { excessLength, sequenceLen }: PrepareOptions,
): Promise<PreparedData> {
  const { summary, train, validation, droppedFile } = prepared;
  if (excessLength !== 'raise' || !summary.droppedBy.too_long) return prepared;
  train.close();
  validation?.close();
  for await (const line of createInterface(createReadStream(droppedFile))) {
    const { file, row, reason, detail } = JSON.parse(line) as Record<string, string | number>;
    if (reason === 'too_long') throw rowsTooLong(summary, sequenceLen, `${file}:${row}: ${detail}`);
  }
  throw new Error(`${droppedFile} does not list the rows that are too long`);
}

async function prepareIn(options: PrepareOptions, key: string): Promise<Prepared> {
  const pass = new DataPass(options, await TokenStoreWriter.create(options.folder));
  const list = await AtomicFile.create(join(options.folder, DROPPED_FILE));
  try {
    const inputs = [...options.datasets, ...(options.validationDatasets ?? [])];
    for (const [dataset, input] of inputs.entries()) {
      for (const file of input.files) await pass.addFile(dataset, input, file, list);
    }
    await list.commit();
    await writeAtomically(join(options.folder, ROWS_FILE), async (file) => {
      for (const bytes of pass.table.bytes()) await file.write(bytes);
    });
    const hashOfFile = (name: string) => sha256OfFile(join(options.folder, name));
    const beside = { [ROWS_FILE]: await hashOfFile(ROWS_FILE), [DROPPED_FILE]: await hashOfFile(DROPPED_FILE) };
    const sizeOf = (name: string) => statSync(join(options.folder, name)).size;
    const sizes = { [ROWS_FILE]: sizeOf(ROWS_FILE), [DROPPED_FILE]: sizeOf(DROPPED_FILE) };
    const manifest = { ...(await pass.finish(key)), beside, sizes };
    await writeAtomically(join(options.folder, MANIFEST_FILE), (file) =>
      file.write(Buffer.from(sealManifest(manifest))),
    );
  } catch (error) {
    await pass.abort();
    await list.abort();
    throw error;
  }
  const prepared = await readFolder(options, key, { verify: false });
  if (prepared === null) throw new Error('the tokens that were just written are not there');
  return prepared;
}

/** What the cache has, once its files are those that were written, and the data those that they were made of; or how it is damaged. */
async function takeChecked(cache: string, key: string, options: PrepareOptions): Promise<Prepared | UserError | null> {
  const { folder, signal, atAGlance } = options;
  if (!(await takePrepared(cache, key, folder))) return null;
  let taken: Prepared | null = null;
  let damaged: UserError | null = null;
  try {
    taken = await readFolder(options, key, { verify: !atAGlance });
    if (taken && (atAGlance || (await areUnchanged(taken.summary.files, signal)))) return taken;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    damaged = error; // so it is made anew
  }
  taken?.train.close();
  taken?.validation?.close();
  dropPrepared(cache, key);
  await rm(join(folder, MANIFEST_FILE), { force: true });
  return damaged;
}

/** Sizes and times, by which the key tells files apart, can stay while the content changes. */
async function areUnchanged(files: PreparedSummary['files'], signal: AbortSignal | undefined): Promise<boolean> {
  for (const { path, sha256 } of files) if ((await sha256OfFile(path, signal)) !== sha256) return false;
  return true;
}

type Prepared = Omit<PreparedData, 'reused' | 'cacheError'>;

/** Everything the tokens depend on. Files are told apart by size and time, so that reopening does not read them. */
function keyOf(options: PrepareOptions): string {
  const { tokenizer, renderer, sequenceLen, excessLength, deduplicate, validationSize, seed } = options;
  const parts = {
    answers: options.answers ?? null,
    version: 8,
    datasets: options.datasets.map(identityOf),
    validationDatasets: (options.validationDatasets ?? []).map(identityOf),
    tokenizer: tokenizer.fingerprint,
    withoutRow: tokenizer.withoutRow,
    eos: tokenizer.eos,
    renderer: renderer && {
      sources: sourcesOf(renderer),
      endTokens: renderer.endTokens,
      // The date is part of the tokens where a template prints it.
      options: { ...renderer.options, now: printsDate(renderer) ? renderer.options.now : null },
    },
    // `raise` has the tokens of `drop`, and then refuses them.
    judge: {
      sequenceLen,
      excessLength: excessLength === 'raise' ? 'drop' : excessLength,
      deduplicate,
      validationSize,
      seed,
    },
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function printsDate(renderer: ChatRenderer): boolean {
  return sourcesOf(renderer).some((source) => source.includes('strftime_now'));
}

function identityOf(dataset: DatasetInput): unknown {
  const files = dataset.files.map((path) => {
    const status = statSync(path, { throwIfNoEntry: false });
    return [path, status?.size, status?.mtimeMs];
  });
  return { ...dataset, files };
}

/** @throws UserError `token_cache_damaged` */
async function readFolder(
  { folder, signal }: PrepareOptions,
  key: string,
  { verify = true } = {},
): Promise<Prepared | null> {
  if (!existsSync(join(folder, MANIFEST_FILE))) return null;
  const manifest = readManifest(folder);
  if (manifest.key !== key) return null;
  if (verify) await verifyTokenStore(folder, { signal });
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
