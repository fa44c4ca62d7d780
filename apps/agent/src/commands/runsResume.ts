import type { QueueOptions } from './queueRun.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';

export async function resume(
  name: string,
  options: RunsOptions & QueueOptions & { set?: readonly string[] },
): Promise<void> {
  const request = { run: name, set: options.set };
  if (options.queue) {
    const { queueResume } = await import('./queueRun.ts');
    return queueResume(contextOf(options), request, options);
  }
  const { resumeRun } = await import('./startRun.ts');
  await resumeRun(contextOf(options), request, options);
}
