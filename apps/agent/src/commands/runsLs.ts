import { basename } from 'node:path';
import { type DamagedRun, type RunView, surveyRuns } from '@anneal/core/trainer/runReader';
import { print, printJson, remark } from '../terminal/print.ts';
import { colorState } from '../terminal/runState.ts';
import { formatTable } from '../terminal/table.ts';
import { formatNumber, formatTime } from '../terminal/units.ts';

export async function ls(options: { runsDir: string; json?: boolean }): Promise<void> {
  const runs = await surveyRuns(options.runsDir);
  if (options.json) return printJson(runs.map((run) => ('error' in run ? summaryOfDamaged(run) : summaryOf(run))));
  if (runs.length === 0) return print(`no runs in ${options.runsDir}`);
  print(
    formatTable(
      [
        { title: 'RUN' },
        { title: 'STATE' },
        { title: 'STEP', align: 'right' },
        { title: 'LOSS', align: 'right' },
        { title: 'VALIDATION', align: 'right' },
        { title: 'CREATED' },
      ],
      runs.map((run) => ('error' in run ? [basename(run.path), colorState('damaged')] : rowOf(run))),
    ),
  );
  for (const run of runs) {
    if ('error' in run)
      remark(`${basename(run.path)}: ${run.error.what}\n  at ${run.error.where}\n  ${run.error.next}`);
  }
}

function rowOf({ path, status, state }: RunView): string[] {
  return [
    basename(path),
    colorState(state),
    status.totalSteps === null ? '' : `${status.step}/${status.totalSteps}`,
    status.loss === null ? '' : formatNumber(status.loss),
    status.evaluationLoss === null ? '' : formatNumber(status.evaluationLoss),
    status.created === '' ? '' : formatTime(status.created),
  ];
}

function summaryOfDamaged({ path, error }: DamagedRun): object {
  return { id: basename(path), state: 'damaged', path, error: error.toJSON() };
}

/** The status with the state as it is now, and where the run lies. */
export function summaryOf(run: RunView): object {
  return { ...run.status, state: run.state, path: run.path, pid: run.owner?.pid ?? null };
}
