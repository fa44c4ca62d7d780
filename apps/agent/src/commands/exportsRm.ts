import { join, relative } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { ListedExport } from '@anneal/core/protocol/exports';
import { print, printJson } from '../terminal/print.ts';
import { formatBytes } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function remove(run: string, paths: string[], options: RunsOptions & { yes?: boolean }): Promise<void> {
  const context = contextOf(options);
  if (!options.yes) {
    const removableExports = await useCase('removableExports');
    const found = await removableExports(context, { run, paths });
    throw new UserError({
      what: `this would remove ${found.map(describe).join(', ')}`,
      next: 'nothing was removed; add --yes to do it',
      code: 'confirmation_needed',
    });
  }
  const removeExports = await useCase('removeExports');
  const removed = await removeExports(context, { run, paths });
  if (options.json) printJson({ removed: removed.map(({ folder, path }) => join(folder, path)) });
  else for (const one of removed) print(`removed ${describe(one)}`);
}

function describe({ folder, path, files }: ListedExport): string {
  return `${relative('.', join(folder, path))} (${formatBytes(files.reduce((sum, { bytes }) => sum + bytes, 0))})`;
}
