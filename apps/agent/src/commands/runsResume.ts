import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { resumeRun } from './startRun.ts';

export async function resume(
  name: string,
  options: RunsOptions & { detach?: boolean; set?: readonly string[] },
): Promise<void> {
  await resumeRun(contextOf(options), { run: name, set: options.set }, options);
}
