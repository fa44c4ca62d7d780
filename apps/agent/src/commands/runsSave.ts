import { basename } from 'node:path';
import { print, printJson } from '../terminal/print.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function save(name: string, options: RunsOptions): Promise<void> {
  const saveRunNow = await useCase('saveRunNow');
  const run = await saveRunNow(contextOf(options), { run: name });
  if (options.json) printJson(run);
  else print(`${basename(run.path)} saves a checkpoint after the step it is in, and goes on`);
}
