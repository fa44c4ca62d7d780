import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bestOf, listCheckpoints } from '@anneal/core/trainer/checkpointStore';
import { findRun, readRun } from '@anneal/core/trainer/runReader';
import { print, printJson } from '../terminal/print.ts';
import { printError } from '../terminal/reportError.ts';
import { colorState } from '../terminal/runState.ts';
import { formatPairs } from '../terminal/table.ts';
import { formatCount, formatNumber, formatTime } from '../terminal/units.ts';
import { summaryOf } from './runsLs.ts';

export async function show(name: string, options: { runsDir: string; json?: boolean }): Promise<void> {
  const run = readRun(await findRun(options.runsDir, name));
  const checkpoints = await listCheckpoints(join(run.path, 'checkpoints'));
  const best = bestOf(checkpoints);
  const lockPath = join(run.path, 'lock.json');
  const lock = existsSync(lockPath) ? (JSON.parse(readFileSync(lockPath, 'utf8')) as Record<string, string>) : null;
  if (options.json) {
    printJson({ ...summaryOf(run), checkpoints, bestCheckpoint: best?.path ?? null, lock });
    return;
  }
  const { status } = run;
  print(
    formatPairs([
      ['run', status.id],
      ['state', `${colorState(run.state)}${run.owner ? ` (process ${run.owner.pid})` : ''}`],
      ['created', formatTime(status.created)],
      ['last event', formatTime(status.updated)],
      ['step', status.totalSteps === null ? String(status.step) : `${status.step} of ${status.totalSteps}`],
      ['loss', status.loss === null ? '-' : formatNumber(status.loss)],
      ['validation loss', status.evaluationLoss === null ? '-' : formatNumber(status.evaluationLoss)],
      ['speed', status.tokensPerSecond === null ? '-' : `${formatCount(status.tokensPerSecond)} tokens/s`],
      ['checkpoints', checkpoints.map(({ step }) => (step === best?.step ? `${step} (best)` : step)).join(', ') || '-'],
      ['recipe', relative('.', join(run.path, 'recipe.resolved.yaml'))],
      ['output', relative('.', join(run.path, 'run.log'))],
    ]),
  );
  if (status.error) printError(status.error, { json: false });
}
