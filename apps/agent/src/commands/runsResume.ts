import { findRun } from '@anneal/core/trainer/runReader';
import { resumeRun, type StartOptions } from '../runner/start.ts';

export async function resume(
  name: string,
  options: StartOptions & { runsDir: string; set?: readonly string[] },
): Promise<void> {
  await resumeRun(await findRun(options.runsDir, name), options.set ?? [], options);
}
