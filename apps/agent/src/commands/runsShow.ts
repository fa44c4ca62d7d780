import { join, relative } from 'node:path';
import type { RunDetails } from '@anneal/core/protocol/runs';
import { printAlerts } from '../terminal/alerts.ts';
import { print, printJson } from '../terminal/print.ts';
import { printError } from '../terminal/reportError.ts';
import { colorState } from '../terminal/runState.ts';
import { formatPairs } from '../terminal/table.ts';
import { formatBytes, formatCount, formatNumber, formatTime } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function show(name: string, options: RunsOptions): Promise<void> {
  const showRun = await useCase('showRun');
  const run = await showRun(contextOf(options), { run: name });
  if (options.json) return printJson(run);
  print(
    formatPairs([
      ['run', run.id],
      ['state', `${colorState(run.state)}${run.pid === null ? '' : ` (process ${run.pid})`}`],
      ['created', time(run.created)],
      ['last event', time(run.updated)],
      ['step', run.totalSteps === null ? String(run.step) : `${run.step} of ${run.totalSteps}`],
      ['loss', run.loss === null ? '-' : formatNumber(run.loss)],
      ['validation loss', run.evaluationLoss === null ? '-' : formatNumber(run.evaluationLoss)],
      ['speed', run.tokensPerSecond === null ? '-' : `${formatCount(run.tokensPerSecond)} tokens/s`],
      ['memory', memoryOf(run)],
      ['checkpoints', checkpointsOf(run)],
      ['tags', run.tags.join(' ') || '-'],
      ['recipe', relative('.', join(run.path, 'recipe.resolved.yaml'))],
      ['output', relative('.', join(run.path, 'run.log'))],
    ]),
  );
  if (run.note) print(`\n${run.note.text}\n(${run.note.by}, ${formatTime(run.note.time)})\n`);
  printAlerts(run);
  if (run.error) printError(run.error, { json: false });
  for (const error of run.damaged) printError(error, { json: false });
}

function checkpointsOf({ checkpoints, bestCheckpoint }: RunDetails): string {
  return checkpoints.map(({ step, path }) => (path === bestCheckpoint ? `${step} (best)` : step)).join(', ') || '-';
}

function memoryOf({ peakMemory, plannedMemory }: RunDetails): string {
  const planned = plannedMemory === null ? '' : `${formatBytes(plannedMemory)} planned`;
  return [planned, peakMemory === null ? '' : `${formatBytes(peakMemory)} at most`].filter(Boolean).join(', ') || '-';
}

function time(iso: string): string {
  return iso === '' ? '-' : formatTime(iso);
}
