/** Starting the process of a run, for the first time or again. */
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import { changeRecipe } from '@anneal/core/recipe/change';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import { runOwner } from '@anneal/core/trainer/runLock';
import { readRun } from '@anneal/core/trainer/runReader';
import { asCalled } from '../terminal/asCalled.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { runInForeground } from './foreground.ts';
import { runReference } from './runReference.ts';
import { detachResumedRun, detachRun } from './supervise.ts';

/** How long a process that is just saving its last checkpoint is waited for. */
const patienceMilliseconds = 15_000;

export interface StartOptions {
  json?: boolean;
  detach?: boolean;
}

/**
 * Continues a run, once no other process writes it; a finished one where `overrides` make it longer.
 * @param overrides `key=value` of what the run is to change: its length, or how often it records, measures and saves
 */
export async function resumeRun(path: string, overrides: readonly string[], options: StartOptions): Promise<void> {
  await waitForOwner(path);
  if (!isChange(path, overrides) && readRun(path).state === 'finished') {
    throw new UserError({
      what: 'this run is finished, there is nothing left to continue',
      where: path,
      next: `to train on, make it longer: \`anneal runs resume ${runReference(path)} --set max_steps=…\` (or num_epochs)`,
      code: 'run_finished',
    });
  }
  if (!options.detach) {
    process.exitCode = await runInForeground(path, { json: options.json ?? false, changes: overrides });
    return;
  }
  tellDetached(path, await detachResumedRun(path, { changes: overrides }), options);
}

/** @throws UserError for a change that no run can make */
function isChange(path: string, overrides: readonly string[]): boolean {
  if (overrides.length === 0) return false;
  const file = join(path, 'recipe.resolved.yaml');
  return changeRecipe(readRunFile(file), file, overrides, path).changes.length > 0;
}

/** In the foreground to its end, or in the background with word on how to follow it. */
export async function startRun(path: string, options: StartOptions): Promise<void> {
  if (!options.detach) {
    process.exitCode = await runInForeground(path, { json: options.json ?? false });
    return;
  }
  tellDetached(path, detachRun(path), options);
}

function tellDetached(path: string, pid: number, options: StartOptions): void {
  const reference = runReference(path);
  if (options.json) return printJson({ id: basename(path), path, pid });
  print(`${reference} trains in the background, process ${pid}`);
  print(asCalled(`  follow it: anneal runs logs ${reference} --follow`));
  print(asCalled(`  stop it:   anneal runs stop ${reference}`));
}

async function waitForOwner(path: string): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  let owner = runOwner(path);
  if (owner) remark(`waiting for process ${owner.pid}, which still writes this run`);
  while (owner && Date.now() < deadline) {
    await wait(200);
    owner = runOwner(path);
  }
  if (!owner) return;
  throw new UserError({
    what: `this run is running already, as process ${owner.pid} on ${owner.host}`,
    where: path,
    next: `follow it with \`anneal runs logs ${runReference(path)} --follow\``,
    code: 'run_in_use',
  });
}
