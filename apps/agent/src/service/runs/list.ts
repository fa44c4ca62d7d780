import { basename, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { DamagedRunSummary, RunList, RunSummary } from '@anneal/core/protocol/runs';
import { readRemarks } from '@anneal/core/trainer/remarks';
import { assertIsRun } from '@anneal/core/trainer/runFiles';
import { runOwner } from '@anneal/core/trainer/runLock';
import { listRuns as foldersOfRuns, type RunView, readRun, stateOf } from '@anneal/core/trainer/runReader';
import { type Context, runsFolderOf } from '../context.ts';
import { alertsOf } from './alerts.ts';
import { KeptSummaries, type KeptSummary } from './keptSummaries.ts';

/** Every run of the folder, oldest first; one that is damaged hides no other. */
export async function listRuns(context: Context): Promise<RunList> {
  const folder = runsFolderOf(context);
  const runs = await foldersOfRuns(folder);
  if (runs.length === 0) return [];
  const kept = new KeptSummaries(folder);
  const summaries = runs.map((run) => summaryOfRun(resolve(run), kept));
  kept.save();
  return summaries;
}

function summaryOfRun(path: string, kept: KeptSummaries): RunSummary | DamagedRunSummary {
  const id = basename(path);
  try {
    assertIsRun(path);
    if (runOwner(path)) return summaryOf(readRun(path));
    const { status, ...said } = kept.of(path, id, () => partsOf(readRun(path)));
    return { ...status, state: stateOf(status, undefined), path, pid: null, ...said };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { id, state: 'damaged', path, error: error.toJSON() };
  }
}

/** @throws UserError `remarks_damaged` */
export function summaryOf(run: RunView): RunSummary {
  const { status, ...said } = partsOf(run);
  return { ...status, state: run.state, path: run.path, pid: run.owner?.pid ?? null, ...said };
}

function partsOf({ path, status, owner, watch }: RunView): KeptSummary {
  const remarks = readRemarks(path);
  const alerts = alertsOf({ path, owner, watch, checkpoint: status.checkpoint, remarks });
  return { status, alerts, note: remarks.note, tags: remarks.tags };
}
