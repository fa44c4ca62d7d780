/** A run in the foreground to its end, or in the background with word on how to follow it. */
import type { ResumeRunRequest, StartedRun } from '@anneal/core/protocol/runs';
import { runReference } from '../runner/runReference.ts';
import type { Context } from '../service/context.ts';
import { finish } from '../service/finish.ts';
import * as runs from '../service/runs/start.ts';
import { print, printHint, printJson, remark } from '../terminal/print.ts';
import { runInForeground } from './foreground.ts';

export interface StartOptions {
  json?: boolean;
  detach?: boolean;
}

export async function startRun(context: Context, path: string, options: StartOptions): Promise<void> {
  if (options.detach) return tellDetached(await runs.startRun(context, { run: path }), options);
  process.exitCode = await runInForeground(path, { json: options.json ?? false });
}

export async function resumeRun(context: Context, request: ResumeRunRequest, options: StartOptions): Promise<void> {
  if (options.detach) return tellDetached(await finish(runs.resumeRun(context, request), remarkWaiting), options);
  const path = await finish(runs.readyToResume(context, request), remarkWaiting);
  process.exitCode = await runInForeground(path, { json: options.json ?? false, changes: request.set });
}

function remarkWaiting({ waitingFor: { pid } }: { waitingFor: { pid: number } }): void {
  remark(`waiting for process ${pid}, which still writes this run`);
}

function tellDetached({ id, path, pid }: StartedRun, options: StartOptions): void {
  if (options.json) return printJson({ id, path, pid });
  const reference = runReference(path);
  print(`${reference} trains in the background, process ${pid}`);
  printHint(`  follow it: anneal runs logs ${reference} --follow`);
  printHint(`  stop it:   anneal runs stop ${reference}`);
}
