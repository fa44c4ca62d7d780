/** A run in the foreground of a terminal or script: its progress, and what Ctrl-C does. */
import { exitCodes } from '../exitCodes.ts';
import { remark } from '../terminal/print.ts';
import { showRunProgress } from '../terminal/runProgress.ts';
import { runReference } from './runReference.ts';
import { superviseRun } from './supervise.ts';

/** npm and our own launcher pass on a Ctrl-C that the terminal has sent us already: two this close are one. */
const sameSignalMilliseconds = 300;

/** Runs it to its end and returns the exit code. Ctrl-C or SIGTERM stops it with a checkpoint, a second one at once. */
export async function runInForeground(path: string, options: { json: boolean; worker?: string }): Promise<number> {
  const progress = showRunProgress(options);
  const run = superviseRun(path, { onEvent: progress.show, ...(options.worker ? { worker: options.worker } : {}) });
  let requests = 0;
  let lastRequest = 0;
  const stop = () => {
    if (Date.now() - lastRequest < sameSignalMilliseconds) return;
    lastRequest = Date.now();
    requests++;
    if (requests === 1) remark('stopping after this step with a checkpoint; Ctrl-C again stops at once');
    run.stop();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const status = await run.ended.finally(progress.end);
    const name = runReference(path);
    if (status.state === 'finished') {
      if (!options.json) remark(`try it: anneal chat ${name}    hand it on: anneal export ${name} --lora --gguf q8_0`);
      return exitCodes.done;
    }
    if (status.state !== 'stopped') return exitCodes.failed;
    if (!options.json) remark(`continue with: anneal runs resume ${name}`);
    return requests > 1 ? exitCodes.interrupted : exitCodes.stopped;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
