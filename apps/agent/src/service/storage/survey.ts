/** What takes room: runs and all that belongs to them, pulled models, and what can be made or sent again. */
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { preparedEntries } from '@anneal/core/datasets/preparedCache';
import { freeDisk } from '@anneal/core/freeDisk';
import { cachedFolders, defaultCacheDirectory, preparedDataFolder } from '@anneal/core/hub/cache';
import { cachedDatasets } from '@anneal/core/hub/datasets/cache';
import {
  type StorageItem,
  type StorageRequest,
  type StorageSurvey,
  storageRequest,
} from '@anneal/core/protocol/storage';
import { prunableCheckpoints } from '@anneal/core/trainer/checkpointStore';
import { sizeOfRun } from '@anneal/core/trainer/removeRun';
import { runOwner } from '@anneal/core/trainer/runLock';
import { listRuns } from '@anneal/core/trainer/runReader';
import { listTrash } from '@anneal/core/trainer/trash';
import type { Context } from '../context.ts';
import { usersOf } from '../models/users.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';

/** Somebody may go on with an upload: not removed before nothing has come for so long. */
const uploadPatienceMilliseconds = 3600_000;

/** By kind, the largest first. Yields nothing on the way. */
export function surveyStorage(_: Context, request: StorageRequest): AsyncGenerator<never, StorageSurvey> {
  return reporting(async () => {
    const { runsFolders, files, uploads } = parseRequest(storageRequest, request);
    const runs = (await Promise.all(runsFolders.map((folder) => listRuns(folder)))).flat();
    const removed = runsFolders.flatMap((folder) => listTrash(folder));
    const ofRuns = (await Promise.all(runs.map(itemsOfRun))).flat();
    const items = [
      ...ofRuns,
      ...removed.map(({ id, path }) => item('trash', path, id, sizeOfRun(path), true)),
      ...pulled([...runs, ...removed.map(({ path }) => path)]),
      ...cachedDatasets(defaultCacheDirectory()).map(({ name, folder }) =>
        item('datasets', folder, name, sizeBelow(folder), true),
      ),
      ...files.map(({ path, name }) => item('files', path, name, sizeOfFile(path), false)),
      ...prepared(),
      ...(uploads === null ? [] : unfinishedUploads(uploads)),
    ].filter(({ bytes }) => bytes > 0);
    return { items: items.sort((a, b) => b.bytes - a.bytes), free: freeDisk(runsFolders[0] ?? '.') };
  });
}

async function itemsOfRun(path: string): Promise<StorageItem[]> {
  const older = await prunableCheckpoints(join(path, 'checkpoints'), 1);
  const checkpoints = older.reduce((sum, checkpoint) => sum + sizeOfRun(checkpoint.path), 0);
  const exports = sizeBelow(join(path, 'export'));
  const name = basename(path);
  const isIdle = runOwner(path) === undefined;
  return [
    item('runs', path, name, sizeOfRun(path) - checkpoints - exports, false),
    item('checkpoints', path, name, checkpoints, isIdle),
    item('exports', path, name, exports, false),
  ];
}

/** @param runs those that may begin again, removed ones included */
function pulled(runs: readonly string[]): StorageItem[] {
  const users = usersOf(runs);
  return cachedFolders(defaultCacheDirectory()).map(({ name, revision, folder }) => {
    const isFree = users(folder).length === 0;
    return item('models', folder, revision === null ? name : `${name} (${revision})`, sizeBelow(folder), isFree);
  });
}

function prepared(): StorageItem[] {
  const folder = preparedDataFolder();
  const entries = preparedEntries(folder);
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  return [item('prepared', folder, String(entries.length), bytes, true)];
}

/** An upload is a file named by 32 hexadecimal digits, and what the protocol keeps of it beside. */
function unfinishedUploads(folder: string): StorageItem[] {
  return uploadParts(folder).map((path) => {
    const { size, mtimeMs } = statSync(path);
    return item('uploads', path, basename(path), size, mtimeMs < Date.now() - uploadPatienceMilliseconds);
  });
}

function uploadParts(folder: string): string[] {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^[0-9a-f]{32}$/.test(entry.name))
    .map(({ name }) => join(folder, name));
}

function sizeOfFile(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function sizeBelow(folder: string): number {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() ? sizeOfRun(folder) : 0;
}

function item(kind: StorageItem['kind'], path: string, name: string, bytes: number, removable: boolean): StorageItem {
  return { id: `${kind} ${path}`, kind, name, bytes, removable };
}
