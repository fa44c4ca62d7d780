import { basename } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { DamagedRunSummary, RunList, RunSummary } from '@anneal/core/protocol/runs';
import { readRemarks } from '@anneal/core/trainer/remarks';
import { type DamagedRun, type RunView, surveyRuns } from '@anneal/core/trainer/runReader';
import { type Context, runsFolderOf } from '../context.ts';
import { alertsOf } from './alerts.ts';

/** Every run of the folder, oldest first; one that is damaged hides no other. */
export async function listRuns(context: Context): Promise<RunList> {
  const runs = await surveyRuns(runsFolderOf(context));
  return runs.map((run) => {
    if ('error' in run) return summaryOfDamaged(run);
    try {
      return summaryOf(run);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return summaryOfDamaged({ path: run.path, error });
    }
  });
}

/** @throws UserError `remarks_damaged` */
export function summaryOf(run: RunView): RunSummary {
  const { status, state, path, owner } = run;
  const remarks = readRemarks(path);
  const { note, tags } = remarks;
  const alerts = alertsOf({ ...run, checkpoint: status.checkpoint, remarks });
  return { ...status, state, path, pid: owner?.pid ?? null, alerts, note, tags };
}

function summaryOfDamaged({ path, error }: DamagedRun): DamagedRunSummary {
  return { id: basename(path), state: 'damaged', path, error: error.toJSON() };
}
