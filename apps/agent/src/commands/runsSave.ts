import { basename } from 'node:path';
import { saveRunNow } from '../service/runs/stop.ts';
import { print, printJson } from '../terminal/print.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';

export async function save(name: string, options: RunsOptions): Promise<void> {
  const run = await saveRunNow(contextOf(options), { run: name });
  if (options.json) printJson(run);
  else print(`${basename(run.path)} saves a checkpoint after the step it is in, and goes on`);
}
