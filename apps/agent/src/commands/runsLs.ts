import { basename } from 'node:path';
import { listRuns, type RunView, readRun } from '@anneal/core/trainer/runReader';
import { print, printJson } from '../terminal/print.ts';
import { colorState } from '../terminal/runState.ts';
import { formatTable } from '../terminal/table.ts';
import { formatNumber, formatTime } from '../terminal/units.ts';

export async function ls(options: { runsDir: string; json?: boolean }): Promise<void> {
  const runs = (await listRuns(options.runsDir)).map(readRun);
  if (options.json) return printJson(runs.map(summaryOf));
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
      runs.map(({ path, status, state }) => [
        basename(path),
        colorState(state),
        status.totalSteps === null ? '' : `${status.step}/${status.totalSteps}`,
        status.loss === null ? '' : formatNumber(status.loss),
        status.evaluationLoss === null ? '' : formatNumber(status.evaluationLoss),
        formatTime(status.created),
      ]),
    ),
  );
}

/** The status with the state as it is now, and where the run lies. */
export function summaryOf(run: RunView): object {
  return { ...run.status, state: run.state, path: run.path, pid: run.owner?.pid ?? null };
}
