import { basename } from 'node:path';
import { openAlerts } from '@anneal/core/protocol/openAlerts';
import type { RunSummary } from '@anneal/core/protocol/runs';
import { runsFolderOf } from '../service/context.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { colorState } from '../terminal/runState.ts';
import { formatTable } from '../terminal/table.ts';
import { formatNumber, formatTime } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function ls({ tag, ...options }: RunsOptions & { tag?: string }): Promise<void> {
  const context = contextOf(options);
  const all = await (await useCase('listRuns'))(context);
  const runs = tag === undefined ? all : all.filter((run) => run.state !== 'damaged' && run.tags.includes(tag));
  if (options.json) return printJson(runs);
  if (runs.length === 0) {
    return print(`no runs${tag === undefined ? '' : ` with the tag ${tag}`} in ${runsFolderOf(context)}`);
  }
  print(
    formatTable(
      [
        { title: 'RUN' },
        { title: 'STATE' },
        { title: 'STEP', align: 'right' },
        { title: 'LOSS', align: 'right' },
        { title: 'VALIDATION', align: 'right' },
        { title: 'CREATED' },
        { title: 'ALERTS' },
        { title: 'TAGS' },
      ],
      runs.map((run) => (run.state === 'damaged' ? [run.id, colorState(run.state)] : rowOf(run))),
    ),
  );
  for (const run of runs) {
    if (run.state === 'failed' && run.error) print(`${basename(run.path)}: ${colors.red(run.error.what)}`);
    if (run.state === 'damaged') remark(`${run.id}: ${run.error.what}\n  at ${run.error.where}\n  ${run.error.next}`);
  }
}

function rowOf({ path, state, step, totalSteps, loss, evaluationLoss, created, alerts, tags }: RunSummary): string[] {
  return [
    basename(path),
    colorState(state),
    totalSteps === null ? '' : `${step}/${totalSteps}`,
    loss === null ? '' : formatNumber(loss),
    evaluationLoss === null ? '' : formatNumber(evaluationLoss),
    created === '' ? '' : formatTime(created),
    [...Map.groupBy(openAlerts(alerts), ({ code }) => code)]
      .map(([code, { length }]) => (length === 1 ? code : `${code} ×${length}`))
      .join(', '),
    tags.join(' '),
  ];
}
