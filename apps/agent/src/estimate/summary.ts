/** What a run would be, from its session: the same plan that training executes. */
import type { Session } from '@anneal/core/trainer/session';
import { print } from '../terminal/print.ts';
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
}

export function summarize({
  job,
  model,
  data,
  loader,
  plan,
  totalSteps,
  trainableParameters,
}: Session): SessionSummary {
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
  };
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
  const levels = Object.entries(recomputedLayers).map(([level, layers]) => `${level} in ${layers}`);
  print(`\n${weightType} weights; recomputed in the backward pass: ${levels.join(', ') || 'nothing'} layers`);
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
