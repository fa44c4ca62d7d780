/** Handing a run to the agent that serves its folder, which starts it when its device has room. */
import { resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { Priority } from '@anneal/core/protocol/priorities';
import type { CreateRunRequest, ResumeRunRequest } from '@anneal/core/protocol/runs';
import { readRun } from '@anneal/core/trainer/runReader';
import { AgentState } from '../daemon/agentState.ts';
import { Workspace } from '../daemon/workspace.ts';
import { runReference } from '../runner/runReference.ts';
import type { Context } from '../service/context.ts';
import { placeOf } from '../service/queue/order.ts';
import { queuedRun } from '../service/queue/queuedRun.ts';
import { RunQueue } from '../service/queue/runQueue.ts';
import { openRecipe } from '../service/recipes/open.ts';
import { createRun } from '../service/runs/create.ts';
import { pathOfRun } from '../service/runs/find.ts';
import { assertCanGoOn } from '../service/runs/start.ts';
import { print, printHint, printJson, remark } from '../terminal/print.ts';

export interface QueueOptions {
  json?: boolean;
  queue?: boolean;
  priority: Priority;
  detach?: boolean;
  resume?: string | true;
}

export async function queueRecipe(context: Context, request: CreateRunRequest, options: QueueOptions): Promise<void> {
  refuseBeside(options);
  const { output_dir: folder } = (await openRecipe(request.recipe, request.set)).resolved;
  const root = resolve(context.runsFolder ?? folder);
  const agent = AgentState.above(root);
  watchedBy(agent).assertWatched(root, request.recipe);
  const { path } = await createRun(context, request);
  await queue(agent, path, [], options);
}

export async function queueResume(context: Context, request: ResumeRunRequest, options: QueueOptions): Promise<void> {
  refuseBeside(options);
  const changes = request.set ?? [];
  const path = await pathOfRun(context, request.run ?? 'latest');
  assertCanGoOn(path, readRun(path).state, changes);
  const agent = AgentState.above(path);
  watchedBy(agent).assertWatched(resolve(path, '..'), path);
  await queue(agent, path, changes, options);
}

async function queue(
  agent: AgentState,
  path: string,
  changes: readonly string[],
  { priority, json }: QueueOptions,
): Promise<void> {
  const run = watchedBy(agent).keyOf(path);
  const { waiting } = await new RunQueue(agent.folder).add(queuedRun(run, path, { priority, changes }));
  const place = placeOf(waiting, run);
  if (json) return printJson({ run, path, ...place });
  const reference = runReference(path);
  if (place) print(`${reference} waits for ${place.device}, at place ${place.place} of ${place.of}`);
  printHint(`  follow it:   anneal runs logs ${reference} --follow`);
  printHint(`  all that wait: anneal queue ls`);
  if (!agent.isRunning) remark(`no agent runs: it begins when one serves ${agent.workspace} again`);
}

function watchedBy(agent: AgentState): Workspace {
  return new Workspace(agent.workspace, agent.lastServed().runsFolder);
}

function refuseBeside({ detach, resume }: QueueOptions): void {
  if (!detach && resume === undefined) return;
  throw new UserError({
    what: `--queue is given beside ${detach ? '--detach' : '--resume'}`,
    next: detach
      ? 'leave --detach out: what is queued trains in the background'
      : 'queue an earlier run with `anneal runs resume --queue`',
    code: 'options_conflict',
  });
}
