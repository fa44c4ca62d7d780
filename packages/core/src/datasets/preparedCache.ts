/**
 * Prepared data by key, for all who prepare the same: a look at the rows, an estimate, and every run that trains on them. Whoever
 * takes an entry links its tokens into a folder of its own, so an entry can be removed at any time.
 */
import { createHash } from 'node:crypto';
import { constants, existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, syncTree } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import { DROPPED_FILE, MANIFEST_FILE, ROWS_FILE, TOKENS_FILE } from './storeManifest.ts';

/** What the cache may take of the disk. The entry that was used longest ago goes first. */
const mostBytes = 20e9;
const mostEntries = 200;

/** Links what the cache has for `key` into `folder`, where nothing of another key may be left. False where it has nothing. */
export async function takePrepared(cache: string, key: string, folder: string): Promise<boolean> {
  const entry = entryOf(cache, key);
  try {
    makeFolder(folder);
    utimesSync(join(entry, MANIFEST_FILE), new Date(), new Date());
    await linkInto(entry, folder);
    return true;
  } catch (error) {
    await Promise.all(files.map((file) => rm(join(folder, file), { force: true })));
    // Never there, or just removed; or the cache itself is none, which is said when something is to be kept in it.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Keeps what lies prepared in `folder`, if it is not too large, and makes room for it. */
export async function keepPrepared(cache: string, key: string, folder: string): Promise<void> {
  if (sizeOf(folder) > mostBytes) return;
  makeFolder(cache);
  const draft = join(cache, '.new');
  removeLeftovers(draft);
  const unfinished = temporaryBeside(draft);
  try {
    await mkdir(unfinished);
    await linkInto(folder, unfinished);
    await syncTree(unfinished);
    await rename(unfinished, entryOf(cache, key));
    syncFolder(cache);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error; // another process has just kept the same
  }
  makeRoom(cache);
}

/** An entry that is not what it was, or no longer what the data are. */
export function dropPrepared(cache: string, key: string): void {
  removeEntry(cache, entryOf(cache, key));
}

/** Tokens that other code has made may be others, so its entries are not found. */
function entryOf(cache: string, key: string): string {
  return join(cache, createHash('sha256').update(`${key} ${codeFingerprint()}`).digest('hex'));
}

/** The manifest last: its presence says that the rest is there. */
const files = [TOKENS_FILE, ROWS_FILE, DROPPED_FILE, MANIFEST_FILE] as const;

async function linkInto(from: string, to: string): Promise<void> {
  for (const file of files) await rm(join(to, file), { force: true });
  for (const file of files) {
    const [source, target] = [join(from, file), join(to, file)];
    if (file === MANIFEST_FILE) syncFolder(to);
    if (file === TOKENS_FILE || file === ROWS_FILE) await linkOrCopy(source, target);
    else await copyFile(source, target); // small, and people open it
  }
}

/** Tokens are never written in place, so that a file may have two names. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE); // another disk, or one without links
  }
}

/** What lies in the cache, what was used last first. */
export function preparedEntries(cache: string): { path: string; used: number; bytes: number }[] {
  if (!existsSync(cache)) return [];
  return readdirSync(cache)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .flatMap((name) => {
      const path = join(cache, name);
      const used = statSync(join(path, MANIFEST_FILE), { throwIfNoEntry: false })?.mtimeMs;
      return used === undefined ? [] : [{ path, used, bytes: sizeOf(path) }];
    })
    .sort((a, b) => b.used - a.used);
}

/** Removes everything that is kept; runs that train have links of their own. */
export function clearPrepared(cache: string): void {
  for (const { path } of preparedEntries(cache)) removeEntry(cache, path);
}

function makeRoom(cache: string): void {
  const entries = preparedEntries(cache);
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    bytes += entry.bytes;
    if (index >= mostEntries || bytes > mostBytes) removeEntry(cache, entry.path);
  }
}

/** It first takes another name, under which nobody finds it. */
function removeEntry(cache: string, entry: string): void {
  const removed = join(cache, '.removed');
  removeLeftovers(removed);
  const aside = temporaryBeside(removed);
  try {
    renameSync(entry, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // another process was first
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

function sizeOf(folder: string): number {
  return files.reduce((sum, file) => sum + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0), 0);
}

let fingerprint: string | undefined;

/** Of the sources of core, or of the bundle's chunks: names, sizes and times. */
function codeFingerprint(): string {
  if (fingerprint !== undefined) return fingerprint;
  const isSource = import.meta.filename.endsWith('.ts');
  const root = isSource ? dirname(import.meta.dirname) : import.meta.dirname;
  const found = readdirSync(root, { withFileTypes: true, recursive: isSource })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => `${path.slice(root.length)} ${statSync(path).size} ${statSync(path).mtimeMs}`);
  fingerprint = createHash('sha256').update(found.join('\n')).digest('hex');
  return fingerprint;
}
