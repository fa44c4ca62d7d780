/** A run in the foreground of a terminal or script: its progress, and what Ctrl-C does. */
import { readResolvedRecipe } from '@anneal/core/trainer/resolvedRecipe';
import { exitCodeOfLaunch, exitCodes } from '../exitCodes.ts';
import { runReference } from '../runner/runReference.ts';
import { startAttached } from '../runner/startWorker.ts';
import { endOfLostOutput, whenOutputIsLost } from '../terminal/lostOutput.ts';
import { remark } from '../terminal/print.ts';
import { showRunProgress } from '../terminal/runProgress.ts';
import { onStopSignals } from './stopSignals.ts';

/**
 * Runs it to its end and returns the exit code. Ctrl-C, SIGTERM, a terminal that closes and output that nobody takes stop
 * it with a checkpoint, a second Ctrl-C at once.
 */
export async function runInForeground(
  path: string,
  options: { json: boolean; worker?: string; changes?: readonly string[] | undefined },
): Promise<number> {
  const progress = showRunProgress(options);
  let hasStarted = false;
  const run = startAttached(path, {
    onEvent: (event) => {
      hasStarted ||= event.type === 'started';
      progress.show(event);
    },
    ...(options.worker && { worker: options.worker }),
    ...(options.changes && { changes: options.changes }),
  });
  let lostOutput: { code: string | undefined } | undefined;
  whenOutputIsLost((code) => {
    lostOutput = { code };
    if (code === 'EPIPE') remark('nobody reads the output any more: stopping after this step with a checkpoint');
    run.stop();
  });
  let requests = 0;
  const stopListening = onStopSignals((times, signal) => {
    requests = times;
    if (times === 1) remark('stopping after this step with a checkpoint; Ctrl-C again stops at once');
    run.stop(signal);
  });
  try {
    const status = await run.ended.finally(progress.end);
    if (lostOutput && lostOutput.code !== 'EPIPE') return endOfLostOutput(lostOutput.code);
    const name = runReference(path);
    if (status.state === 'finished') {
      if (!options.json) {
        const givesScores = /^rl: reward$/m.test(readResolvedRecipe(path));
        remark(`try it:     anneal ${givesScores ? 'eval' : 'chat'} ${name}`);
        remark(`hand it on: anneal export ${name} --lora ${givesScores ? '--merged' : '--gguf q8_0'}`);
      }
      return exitCodes.done;
    }
    if (status.state !== 'stopped') return exitCodeOfLaunch(status.error, hasStarted);
    if (!options.json) remark(`continue with: anneal runs resume ${name}`);
    return requests > 1 ? exitCodes.interrupted : exitCodes.stopped;
  } finally {
    stopListening();
    whenOutputIsLost(undefined);
  }
}
