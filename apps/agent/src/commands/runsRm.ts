import { UserError } from '@anneal/core/errors';
import { removableRuns, removeRuns } from '../service/runs/remove.ts';
import { print, printJson } from '../terminal/print.ts';
import { formatBytes } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';

export async function remove(runs: string[], options: RunsOptions & { yes?: boolean }): Promise<void> {
  const context = contextOf(options);
  if (!options.yes) {
    const found = await removableRuns(context, { runs });
    throw new UserError({
      what: `this would remove ${found.map(({ id, bytes }) => `${id} (${formatBytes(bytes)})`).join(', ')}, with checkpoints and exports`,
      next: 'nothing was removed; add --yes to do it',
      code: 'confirmation_needed',
    });
  }
  const removed = await removeRuns(context, { runs });
  if (options.json) printJson({ removed });
  else for (const { id, bytes } of removed) print(`removed ${id}, ${formatBytes(bytes)}`);
}
