import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { Priority } from '@anneal/core/protocol/priorities';
import type { QueuedRun } from '@anneal/core/protocol/queue';
import { changeRecipe } from '@anneal/core/recipe/change';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import { readRun } from '@anneal/core/trainer/runReader';
import { deviceOfRun } from '../host/devices.ts';
import { openRecipe } from '../recipes/open.ts';

/** The run as it is now, to be put into a queue. @param run names it there */
export async function queuedRun(
  run: string,
  path: string,
  { priority, changes }: { priority: Priority; changes: readonly string[] },
): Promise<QueuedRun> {
  const { resolved } = await openRecipe(join(path, 'recipe.resolved.yaml'));
  return {
    run,
    device: deviceOfRun(resolved.device),
    priority,
    changes,
    afterSeq: readRun(path).status.seq,
    since: new Date().toISOString(),
    by: null,
  };
}

/**
 * What a waiting run needs to be trained on another device.
 * @throws UserError `device_not_found`; `recipe_changed` where the run has begun: its steps depend on the device
 */
export function onDevice(
  { changes }: Pick<QueuedRun, 'changes'>,
  path: string,
  wanted: string,
): Pick<QueuedRun, 'device' | 'changes'> {
  const device = deviceOfRun(wanted);
  const others = changes.filter((change) => !change.startsWith('device='));
  const file = join(path, 'recipe.resolved.yaml');
  const hasBegun = readRun(path).status.state !== 'created';
  const { resolved } = changeRecipe(readRunFile(file), file, others, path);
  if (deviceOf(resolved.device) === device) return { device, changes: others };
  const moved = [...others, `device=${device}`];
  changeRecipe(readRunFile(file), file, moved, path, { hasBegun });
  return { device, changes: moved };
}

/** null: the recipe names one that is gone. */
function deviceOf(wanted: string): string | null {
  try {
    return deviceOfRun(wanted);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return null;
  }
}
