import { join } from 'node:path';
import type { Priority } from '@anneal/core/protocol/priorities';
import type { QueuedRun } from '@anneal/core/protocol/queue';
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
