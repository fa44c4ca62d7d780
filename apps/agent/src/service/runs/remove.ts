import { basename } from 'node:path';
import { UserError } from '@anneal/core/errors';
import {
  type CreatedRun,
  type RemovedRun,
  type RemoveRunsRequest,
  type RestoreRunsRequest,
  removeRunsRequest,
  restoreRunsRequest,
  type SizedRun,
} from '@anneal/core/protocol/runs';
import { removeRun, sizeOfRun } from '@anneal/core/trainer/removeRun';
import { runOwner } from '@anneal/core/trainer/runLock';
import { listTrash, restoreRun, trashRun } from '@anneal/core/trainer/trash';
import { type Context, runsFolderOf } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';

/** What removing these runs would free. @throws UserError `run_in_use` where one of them is being written */
export async function removableRuns(context: Context, request: RemoveRunsRequest): Promise<SizedRun[]> {
  const { runs } = parseRequest(removeRunsRequest, request);
  const paths = [...new Set(await Promise.all(runs.map((run) => pathOfRun(context, run))))];
  for (const path of paths) refuseRunning(path);
  return paths.map((path) => ({ id: basename(path), path, bytes: sizeOfRun(path) }));
}

/**
 * Removes runs with their checkpoints and exports, into the trash of their folder or for good. All are looked at before the first one
 * goes: a wrong name removes nothing.
 */
export async function removeRuns(context: Context, request: RemoveRunsRequest): Promise<SizedRun[]> {
  const runs = await removableRuns(context, request);
  const { forGood } = parseRequest(removeRunsRequest, request);
  for (const { path } of runs)
    if (forGood) removeRun(path);
    else trashRun(path);
  return runs;
}

/** What lies in the trash, oldest first. */
export async function listRemovedRuns(context: Context): Promise<RemovedRun[]> {
  return listTrash(runsFolderOf(context)).map((run) => ({ ...run, bytes: sizeOfRun(run.path) }));
}

/** Brings runs back from the trash; of several with one name the one that was removed last. @throws UserError `run_not_in_trash`, `run_exists` */
export async function restoreRuns(context: Context, request: RestoreRunsRequest): Promise<CreatedRun[]> {
  const { runs } = parseRequest(restoreRunsRequest, request);
  const removed = listTrash(runsFolderOf(context)).toReversed();
  const found = runs.map((name) => {
    const run =
      removed.find(({ id }) => id === name) ?? removed.find(({ id }) => id.startsWith(name) || id.endsWith(name));
    if (run) return run;
    throw new UserError({
      what: `no run "${name}" lies in the trash`,
      where: runsFolderOf(context),
      next:
        removed.length > 0
          ? 'look at what does: `anneal runs restore`'
          : 'nothing does: it was removed for good, or elsewhere',
      code: 'run_not_in_trash',
    });
  });
  return [...new Set(found)].map((run) => ({ id: run.id, path: restoreRun(run) }));
}

function refuseRunning(path: string): void {
  const owner = runOwner(path);
  if (!owner) return;
  throw new UserError({
    what: `this run is running, as process ${owner.pid} on ${owner.host}`,
    where: path,
    next: `stop it first: \`anneal runs stop ${basename(path)}\``,
    code: 'run_in_use',
  });
}
