/** Starting the process of a run, for the first time or again. */
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import { readRun } from '@anneal/core/trainer/runReader';
import { print, printJson, remark } from '../terminal/print.ts';
import { runInForeground } from './foreground.ts';
import { runReference } from './runReference.ts';
import { detachRun } from './supervise.ts';

/** How long a process that is just saving its last checkpoint is waited for. */
const patienceMilliseconds = 15_000;

export interface StartOptions {
  json?: boolean;
  detach?: boolean;
}

/** Continues a run that is not finished, once no other process writes it. */
export async function resumeRun(path: string, options: StartOptions): Promise<void> {
  await waitForOwner(path);
  if (readRun(path).state === 'finished') {
    throw new UserError({
      what: 'this run is finished, there is nothing left to continue',
      where: path,
      next: 'to train on, start a new run with its checkpoint as lora_model_dir',
      code: 'run_finished',
    });
  }
  await startRun(path, options);
}

/** In the foreground to its end, or in the background with word on how to follow it. */
export async function startRun(path: string, options: StartOptions): Promise<void> {
  if (!options.detach) {
    process.exitCode = await runInForeground(path, { json: options.json ?? false });
    return;
  }
  const pid = detachRun(path);
  const reference = runReference(path);
  if (options.json) return printJson({ id: basename(path), path, pid });
  print(`${reference} trains in the background, process ${pid}`);
  print(`  follow it: anneal runs logs ${reference} --follow`);
  print(`  stop it:   anneal runs stop ${reference}`);
}

async function waitForOwner(path: string): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  let { owner } = readRun(path);
  if (owner) remark(`waiting for process ${owner.pid}, which still writes this run`);
  while (owner && Date.now() < deadline) {
    await wait(200);
    ({ owner } = readRun(path));
  }
  if (!owner) return;
  throw new UserError({
    what: `this run is running already, as process ${owner.pid} on ${owner.host}`,
    where: path,
    next: `follow it with \`anneal runs logs ${runReference(path)} --follow\``,
    code: 'run_in_use',
  });
}
