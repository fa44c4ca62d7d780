import { UserError } from '@anneal/core/errors';
import type { Priority } from '@anneal/core/protocol/priorities';
import type { QueuedRun } from '@anneal/core/protocol/queue';
import { runOwner } from '@anneal/core/trainer/runLock';
import { readRun } from '@anneal/core/trainer/runReader';
import { deviceOfRun } from '../host/devices.ts';
import { changedRecipeOf } from '../runs/changed.ts';
import { notWaiting } from './runQueue.ts';

/** The run as it is now, to be put into a queue. @param run names it there */
export function queuedRun(
  run: string,
  path: string,
  { priority, changes }: { priority: Priority; changes: readonly string[] },
): QueuedRun {
  return {
    run,
    device: deviceOfRun(changedRecipeOf(path, changes).resolved.device),
    priority,
    changes,
    afterSeq: readRun(path).status.seq,
    since: new Date().toISOString(),
    by: null,
  };
}

/** Its launch may not have an event yet; what it was ordered with stays. @throws UserError `run_not_queued` */
export function assertNotLive({ run }: Pick<QueuedRun, 'run'>, path: string): void {
  if (runOwner(path)) throw notWaiting(run);
}

/**
 * What a waiting run needs to be trained on another device.
 * @throws UserError `device_not_found`; `resume_cannot_change` where the run has begun: its steps depend on the device
 */
export function onDevice(
  { changes }: Pick<QueuedRun, 'changes'>,
  path: string,
  wanted: string,
): Pick<QueuedRun, 'device' | 'changes'> {
  const device = deviceOfRun(wanted);
  const others = changes.filter((change) => !change.startsWith('device='));
  const { resolved } = changedRecipeOf(path, others);
  if (deviceOf(resolved.device) === device) return { device, changes: others };
  const moved = [...others, `device=${device}`];
  changedRecipeOf(path, moved);
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
