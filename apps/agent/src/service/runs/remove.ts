import { basename } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type RemoveRunsRequest, removeRunsRequest, type SizedRun } from '@anneal/core/protocol/runs';
import { removeRun, sizeOfRun } from '@anneal/core/trainer/removeRun';
import { runOwner } from '@anneal/core/trainer/runLock';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';

/** What removing these runs would free. @throws UserError `run_in_use` where one of them is being written */
export async function removableRuns(context: Context, request: RemoveRunsRequest): Promise<SizedRun[]> {
  const { runs } = parseRequest(removeRunsRequest, request);
  const paths = [...new Set(await Promise.all(runs.map((run) => pathOfRun(context, run))))];
  for (const path of paths) refuseRunning(path);
  return paths.map((path) => ({ id: basename(path), path, bytes: sizeOfRun(path) }));
}

/** Removes runs with their checkpoints and exports. All are looked at before the first one goes: a wrong name removes nothing. */
export async function removeRuns(context: Context, request: RemoveRunsRequest): Promise<SizedRun[]> {
  const runs = await removableRuns(context, request);
  for (const { path } of runs) removeRun(path);
  return runs;
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
