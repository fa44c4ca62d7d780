/** Starting the process of a run in the background, for the first time or again. */
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import {
  type ResumeRunRequest,
  type RunRequest,
  resumeRunRequest,
  runRequest,
  type StartedRun,
} from '@anneal/core/protocol/runs';
import type { ShownState } from '@anneal/core/protocol/studio';
import { type RunOwner, runOwner } from '@anneal/core/trainer/runLock';
import { readRun } from '@anneal/core/trainer/runReader';
import { runReference } from '../../runner/runReference.ts';
import { resumeDetached, startDetached } from '../../runner/startWorker.ts';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { changedRecipeOf } from './changed.ts';
import { pathOfRun } from './find.ts';

/** How long a process that is just saving its last checkpoint is waited for. */
const patienceMilliseconds = 15_000;

/** Starts a run that was created; it outlives this process. */
export async function startRun(context: Context, request: RunRequest): Promise<StartedRun> {
  const path = await pathOfRun(context, parseRequest(runRequest, request).run);
  return { id: basename(path), path, pid: startDetached(path) };
}

/** Continues a run from its newest checkpoint, once no other process writes it. Throws what the run refuses it for. */
export async function* resumeRun(
  context: Context,
  request: ResumeRunRequest,
): AsyncGenerator<{ waitingFor: RunOwner }, StartedRun> {
  const path = yield* readyToResume(context, request);
  return { id: basename(path), path, pid: await resumeDetached(path, { changes: request.set }) };
}

/**
 * The path of a run that can go on. A finished one can where `set` makes it longer.
 * @throws UserError `run_finished`, `run_in_use`, or for a change that no run can make
 */
export async function* readyToResume(
  context: Context,
  request: ResumeRunRequest,
): AsyncGenerator<{ waitingFor: RunOwner }, string> {
  const { run, set } = parseRequest(resumeRunRequest, request);
  const path = await pathOfRun(context, run);
  yield* waitForOwner(path);
  assertCanGoOn(path, readRun(path).state, set);
  return path;
}

/** @throws UserError `run_finished`, `run_in_use`, or for a change that no run can make */
export function assertCanGoOn(path: string, state: ShownState, set: readonly string[]): void {
  if (state === 'running' || state === 'preparing') throw inUse(path, 'this run is running already');
  if (isChange(path, set) || state !== 'finished') return;
  throw new UserError({
    what: 'this run is finished, there is nothing left to continue',
    where: path,
    next: `to train on, make it longer: \`anneal runs resume ${runReference(path)} --set max_steps=…\` (or num_epochs)`,
    code: 'run_finished',
  });
}

function isChange(path: string, overrides: readonly string[]): boolean {
  return overrides.length > 0 && changedRecipeOf(path, overrides).changes.length > 0;
}

async function* waitForOwner(path: string): AsyncGenerator<{ waitingFor: RunOwner }, void> {
  const deadline = Date.now() + patienceMilliseconds;
  let owner = runOwner(path);
  if (owner) yield { waitingFor: owner };
  while (owner && Date.now() < deadline) {
    await wait(200);
    owner = runOwner(path);
  }
  if (owner) throw inUse(path, `this run is running already, as process ${owner.pid} on ${owner.host}`);
}

function inUse(path: string, what: string): UserError {
  return new UserError({
    what,
    where: path,
    next: `follow it with \`anneal runs logs ${runReference(path)} --follow\``,
    code: 'run_in_use',
  });
}
