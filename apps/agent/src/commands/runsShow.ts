import { join, relative } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { Status } from '@anneal/core/protocol/status';
import { bestOf, surveyCheckpoints } from '@anneal/core/trainer/checkpointStore';
import { readPinned } from '@anneal/core/trainer/runHashes';
import { findRun, readRun } from '@anneal/core/trainer/runReader';
import { print, printJson } from '../terminal/print.ts';
import { printError } from '../terminal/reportError.ts';
import { colorState } from '../terminal/runState.ts';
import { formatPairs } from '../terminal/table.ts';
import { formatBytes, formatCount, formatNumber, formatTime } from '../terminal/units.ts';
import { summaryOf } from './runsLs.ts';

export async function show(name: string, options: { runsDir: string; json?: boolean }): Promise<void> {
  const run = readRun(await findRun(options.runsDir, name));
  const found = await surveyCheckpoints(join(run.path, 'checkpoints'));
  const checkpoints = found.filter((checkpoint) => !('error' in checkpoint));
  const best = bestOf(checkpoints);
  const damage = found.flatMap((checkpoint) => ('error' in checkpoint ? [checkpoint.error] : []));
  const lock = tolerant(() => readPinned(run.path) ?? null, damage);
  if (options.json) {
    const damaged = damage.map((error) => error.toJSON());
    printJson({ ...summaryOf(run), checkpoints, bestCheckpoint: best?.path ?? null, lock, damaged });
    return;
  }
  const { status } = run;
  print(
    formatPairs([
      ['run', status.id],
      ['state', `${colorState(run.state)}${run.owner ? ` (process ${run.owner.pid})` : ''}`],
      ['created', time(status.created)],
      ['last event', time(status.updated)],
      ['step', status.totalSteps === null ? String(status.step) : `${status.step} of ${status.totalSteps}`],
      ['loss', status.loss === null ? '-' : formatNumber(status.loss)],
      ['validation loss', status.evaluationLoss === null ? '-' : formatNumber(status.evaluationLoss)],
      ['speed', status.tokensPerSecond === null ? '-' : `${formatCount(status.tokensPerSecond)} tokens/s`],
      ['memory', memoryOf(status)],
      ['checkpoints', checkpoints.map(({ step }) => (step === best?.step ? `${step} (best)` : step)).join(', ') || '-'],
      ['recipe', relative('.', join(run.path, 'recipe.resolved.yaml'))],
      ['output', relative('.', join(run.path, 'run.log'))],
    ]),
  );
  if (status.error) printError(status.error, { json: false });
  for (const error of damage) printError(error, { json: false });
}

function memoryOf({ peakMemory, plannedMemory }: Status): string {
  const planned = plannedMemory === null ? '' : `${formatBytes(plannedMemory)} planned`;
  return [planned, peakMemory === null ? '' : `${formatBytes(peakMemory)} at most`].filter(Boolean).join(', ') || '-';
}

function time(iso: string): string {
  return iso === '' ? '-' : formatTime(iso);
}

/** Of a run that is damaged in one place the rest is shown. */
function tolerant<T>(read: () => T, damage: UserError[]): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    damage.push(error);
    return null;
  }
}
