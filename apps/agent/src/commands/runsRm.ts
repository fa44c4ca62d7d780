import { basename } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { removeRun, sizeOfRun } from '@anneal/core/trainer/removeRun';
import { runOwner } from '@anneal/core/trainer/runLock';
import { findRun } from '@anneal/core/trainer/runReader';
import { print, printJson } from '../terminal/print.ts';
import { formatBytes } from '../terminal/units.ts';

/** Everything is looked at before the first one goes, so that a wrong name removes nothing. */
export async function remove(
  names: readonly string[],
  options: { runsDir: string; json?: boolean; yes?: boolean },
): Promise<void> {
  const paths = [...new Set(await Promise.all(names.map((name) => findRun(options.runsDir, name))))];
  for (const path of paths) refuseRunning(path);
  const runs = paths.map((path) => ({ id: basename(path), path, bytes: sizeOfRun(path) }));
  if (!options.yes) {
    throw new UserError({
      what: `this would remove ${runs.map(({ id, bytes }) => `${id} (${formatBytes(bytes)})`).join(', ')}, with checkpoints and exports`,
      next: 'nothing was removed; add --yes to do it',
      code: 'confirmation_needed',
    });
  }
  for (const { path } of runs) removeRun(path);
  if (options.json) printJson({ removed: runs });
  else for (const { id, bytes } of runs) print(`removed ${id}, ${formatBytes(bytes)}`);
}

function refuseRunning(path: string): void {
  const owner = runOwner(path);
  if (!owner) return;
  throw new UserError({
    what: `this run is running, as process ${owner.pid} on ${owner.host}`,
    where: path,
    next: `stop it first: \`anneal runs stop ${basename(path)}\``,
    code: 'run_in_use',
  });
}
