import { basename } from 'node:path';
import { finish } from '../service/finish.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

/** Returns when the run has ended. */
export async function stop(name: string, options: RunsOptions & { now?: boolean }): Promise<void> {
  const stopRun = await useCase('stopRun');
  const run = await finish(stopRun(contextOf(options), { run: name, now: options.now }), () => {
    if (!options.now) remark('waiting for the checkpoint; `anneal runs stop --now` does not wait');
  });
  if (options.json) printJson(run);
  else print(`${basename(run.path)} ${run.state} after step ${run.step}`);
}
