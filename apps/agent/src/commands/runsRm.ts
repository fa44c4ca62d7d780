import type { RemovedRun } from '@anneal/core/protocol/runs';
import { shellWord } from '@anneal/core/shellWord';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatBytes, formatTime } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function remove(runs: string[], options: RunsOptions & { forGood?: boolean }): Promise<void> {
  const { forGood } = options;
  const removed = await (await useCase('removeRuns'))(contextOf(options), { runs, forGood });
  if (options.json) return printJson({ removed });
  for (const { id, bytes } of removed) print(`removed ${id}, ${formatBytes(bytes)}`);
  const ids = removed.map(({ id }) => shellWord(id)).join(' ');
  if (!forGood) remark(`bring back: \`anneal runs restore ${ids}\`; free the disk: \`anneal storage clean trash\``);
}

/** Without names it lists what could be restored. */
export async function restore(runs: string[], options: RunsOptions): Promise<void> {
  const context = contextOf(options);
  if (runs.length === 0) return list(await (await useCase('listRemovedRuns'))(context), options);
  const restored = await (await useCase('restoreRuns'))(context, { runs });
  if (options.json) return printJson({ restored });
  for (const { id } of restored) print(`${id} is back`);
}

function list(removed: readonly RemovedRun[], { json }: RunsOptions): void {
  if (json) return printJson(removed);
  if (removed.length === 0) return print('the trash is empty');
  const rows = removed.map(({ id, bytes, removed: time }) => [id, formatBytes(bytes), formatTime(time)]);
  print(formatTable([{ title: 'RUN' }, { title: 'SIZE', align: 'right' }, { title: 'REMOVED' }], rows));
}
