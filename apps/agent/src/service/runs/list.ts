import { basename } from 'node:path';
import type { DamagedRunSummary, RunList, RunSummary } from '@anneal/core/protocol/runs';
import { type DamagedRun, type RunView, surveyRuns } from '@anneal/core/trainer/runReader';
import { type Context, runsFolderOf } from '../context.ts';

/** Every run of the folder, oldest first; one that is damaged hides no other. */
export async function listRuns(context: Context): Promise<RunList> {
  const runs = await surveyRuns(runsFolderOf(context));
  return runs.map((run) => ('error' in run ? summaryOfDamaged(run) : summaryOf(run)));
}

export function summaryOf(run: RunView): RunSummary {
  return { ...run.status, state: run.state, path: run.path, pid: run.owner?.pid ?? null };
}

function summaryOfDamaged({ path, error }: DamagedRun): DamagedRunSummary {
  return { id: basename(path), state: 'damaged', path, error: error.toJSON() };
}
