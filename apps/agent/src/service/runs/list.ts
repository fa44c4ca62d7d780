import { basename } from 'node:path';
import type { DamagedRunSummary, RunList, RunSummary } from '@anneal/core/protocol/runs';
import { type DamagedRun, type RunView, surveyRuns } from '@anneal/core/trainer/runReader';
import { type Context, runsFolderOf } from '../context.ts';
import { alertsOf } from './alerts.ts';

/** Every run of the folder, oldest first; one that is damaged hides no other. */
export async function listRuns(context: Context): Promise<RunList> {
  const runs = await surveyRuns(runsFolderOf(context));
  return runs.map((run) => ('error' in run ? summaryOfDamaged(run) : summaryOf(run)));
}

/** @throws UserError `remarks_damaged` */
export function summaryOf(run: RunView): RunSummary {
  const { status, state, path, owner } = run;
  return {
    ...status,
    state,
    path,
    pid: owner?.pid ?? null,
    alerts: alertsOf({ ...run, checkpoint: status.checkpoint }),
  };
}

function summaryOfDamaged({ path, error }: DamagedRun): DamagedRunSummary {
  return { id: basename(path), state: 'damaged', path, error: error.toJSON() };
}
