/** Giving room back: only what the survey of this moment names, each by the code that knows it to be ours. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clearPrepared } from '@anneal/core/datasets/preparedCache';
import { UserError } from '@anneal/core/errors';
import { removeCached } from '@anneal/core/hub/removeCached';
import {
  type CleanedStorage,
  type CleanStorageRequest,
  cleanStorageRequest,
  type StorageItem,
} from '@anneal/core/protocol/storage';
import { CheckpointStore } from '@anneal/core/trainer/checkpointStore';
import { removeRun } from '@anneal/core/trainer/removeRun';
import { lockRunToRemove } from '@anneal/core/trainer/runLock';
import { removeIfEmpty } from '@anneal/core/trainer/trash';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { surveyStorage } from './survey.ts';

/**
 * Yields each item once it is gone. All are looked at before the first one goes.
 * @throws UserError `storage_item_not_removable`
 */
export async function* cleanStorage(
  context: Context,
  request: CleanStorageRequest,
): AsyncGenerator<StorageItem, CleanedStorage> {
  const { items: wanted, ...where } = parseRequest(cleanStorageRequest, request);
  const survey = surveyStorage(context, where);
  const { value } = await survey.next();
  const known = new Map(value?.items.map((item) => [item.id, item]));
  const chosen = [...new Set(wanted)].map((id) => {
    const item = known.get(id);
    if (item?.removable) return item;
    throw notRemovable(id, item);
  });
  const cleaned: CleanedStorage = { freed: 0, removed: [], kept: [] };
  for (const item of chosen) {
    try {
      await remove(item);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      cleaned.kept.push({ item, error: error.toJSON() });
      continue;
    }
    cleaned.removed.push(item);
    cleaned.freed += item.bytes;
    yield item;
  }
  return cleaned;
}

async function remove({ id, kind }: StorageItem): Promise<void> {
  const path = id.slice(kind.length + 1);
  switch (kind) {
    case 'trash':
      removeRun(path);
      return removeIfEmpty(dirname(path));
    case 'checkpoints': {
      const lock = lockRunToRemove(path);
      try {
        return await (await CheckpointStore.open(join(path, 'checkpoints'))).prune(1);
      } finally {
        lock.release();
      }
    }
    case 'models':
    case 'datasets':
      return removeCached(path);
    case 'prepared':
      return clearPrepared(path);
    case 'uploads':
      rmSync(`${path}.json`, { force: true });
      return rmSync(path, { force: true });
    case 'runs':
    case 'exports':
    case 'files':
      throw new Error(`${kind} are never removed here`);
  }
}

function notRemovable(id: string, item: StorageItem | undefined): UserError {
  return new UserError({
    what: item ? 'this is needed, or in use' : 'this is not there any more',
    where: item?.name ?? id,
    next: item
      ? 'remove a run with `anneal runs rm`, an export with `anneal exports rm`, a data file where it lies; stop a run first'
      : 'look again at what takes room',
    code: 'storage_item_not_removable',
  });
}
