/** What a run would be, from its session: the same plan that training executes. */
import type { EventBody } from '@anneal/core/protocol/events';
import { type Fit, fitOf, misfit } from '@anneal/core/trainer/fit';
import { type Session, sessionEvents } from '@anneal/core/trainer/session';
import { exitCodeOfError } from '../exitCodes.ts';
import { colors } from '../terminal/colors.ts';
import { print } from '../terminal/print.ts';
import { printError } from '../terminal/reportError.ts';
import { printEvent } from '../terminal/runProgress.ts';
import { formatPairs, formatTable } from '../terminal/table.ts';
import { formatBytes, formatCount } from '../terminal/units.ts';

export interface SessionSummary {
  model: { path: string; architecture: string; trainableParameters: number };
  data: Session['data']['summary'];
  steps: { total: number; perEpoch: number; maxTokens: number; packingEfficiency: number };
  weightType: 'f32' | 'bf16';
  /** Layers by how much of them the backward pass computes again. */
  recomputedLayers: Record<string, number>;
  /** Bytes by class; `total` is what the run allocates. */
  memory: Session['plan']['memory'];
  /** What it needs and what is free, of memory and of disk. */
  fit: Fit;
  /** What `train` would warn of. */
  warnings: Extract<EventBody, { type: 'warning' }>[];
}

/** @param folder where the run would lie */
export function summarize(session: Session, folder: string): SessionSummary {
  const { job, model, data, loader, plan, totalSteps, trainableParameters } = session;
  const levels = plan.programs.flatMap((program) => program.levels);
  return {
    model: { path: model.path, architecture: model.architecture.modelType, trainableParameters },
    data: data.summary,
    steps: {
      total: totalSteps,
      perEpoch: loader.stepsPerEpoch,
      maxTokens: loader.maxTokens,
      packingEfficiency: loader.packingEfficiency,
    },
    weightType: job.weightType,
    recomputedLayers: Object.fromEntries(
      [...new Set(levels)].map((level) => [level, levels.filter((other) => other === level).length]),
    ),
    memory: plan.memory,
    fit: fitOf(session, folder),
    warnings: sessionEvents(session).filter((event) => event.type === 'warning'),
  };
}

/** Says whether it fits; where it does not, the exit code is that of the error. */
export function printFit({ fit, warnings }: SessionSummary): void {
  const { memory, disk } = fit;
  const checkpoints = `${disk.checkpoints} × ${formatBytes(disk.checkpoint)}`;
  print();
  print(
    formatPairs([
      ['memory', `${formatBytes(memory.needed)} needed, ${formatBytes(memory.available)} free`],
      ['disk', `${formatBytes(disk.needed)} needed (checkpoints: ${checkpoints}), ${formatBytes(disk.available)} free`],
    ]),
  );
  for (const warning of warnings) printEvent(warning, print);
  const trouble = failIfMisfit(fit);
  if (trouble) printError(trouble, { json: false });
  else print(colors.green('it fits'));
}

/** The error, where there is one; the exit code is then its own. */
export function failIfMisfit(fit: Fit): ReturnType<typeof misfit> {
  const trouble = misfit(fit);
  if (trouble) process.exitCode = exitCodeOfError(trouble.code);
  return trouble;
}

export function printMemory({ memory, weightType, recomputedLayers }: SessionSummary): void {
  const { total, ...classes } = memory;
  const rows = [...Object.entries(classes), ['total', total] as const];
  print(
    formatTable(
      [{ title: 'MEMORY' }, { title: 'SIZE', align: 'right' }, { title: 'BYTES', align: 'right' }],
      rows.map(([name, bytes]) => [name, formatBytes(bytes), formatCount(bytes)]),
    ),
  );
  print(`\n${weightType} weights; ${describeRecomputation(recomputedLayers)}`);
}

const levelNames: Record<string, string> = { none: 'nothing', cheap: 'the cheap parts', full: 'everything' };

function describeRecomputation(layers: Record<string, number>): string {
  const levels = Object.entries(layers).filter(([level]) => level !== 'none');
  if (levels.length === 0) return 'the backward pass computes nothing again';
  const parts = levels.map(([level, count]) => `${levelNames[level] ?? level} in ${count} layers`);
  return `the backward pass computes again: ${parts.join(', ')}`;
}

export function printRun({ model, data, steps }: SessionSummary): void {
  const share = data.tokens === 0 ? 0 : (100 * data.targetTokens) / data.tokens;
  print(
    formatPairs([
      ['model', `${model.architecture}, ${formatCount(model.trainableParameters)} parameters trained`],
      [
        'rows',
        `${formatCount(data.rows)}: ${formatCount(data.kept)} kept, ${formatCount(data.truncated)} truncated, ${formatCount(data.dropped)} dropped`,
      ],
      [
        'tokens an epoch',
        `${formatCount(data.tokens)}, ${formatCount(data.targetTokens)} supervised (${share.toFixed(0)} %)`,
      ],
      [
        'documents',
        `${formatCount(data.trainDocuments)} to train on, ${formatCount(data.validationDocuments)} to measure`,
      ],
      [
        'steps',
        `${formatCount(steps.total)}, ${formatCount(steps.perEpoch)} an epoch, of at most ${formatCount(steps.maxTokens)} tokens`,
      ],
    ]),
  );
}
