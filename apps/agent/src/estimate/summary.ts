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

type Saving = Session['plan']['savings'][number];

export interface SessionSummary {
  model: { path: string; architecture: string; trainableParameters: number };
  data: Session['data']['summary'];
  steps: { total: number; perEpoch: number; maxTokens: number; packingEfficiency: number };
  weightType: 'f32' | 'bf16';
  /** What is done to save memory: in how many layers, the bytes that saves, the time expected of it in a batch. */
  savings: { how: Saving['how']; what: string; layers: number; bytes: number; milliseconds: number }[];
  /** Bytes by class; `total` is what the run allocates on the device; `libraries` and `host` are beside it. */
  memory: Session['plan']['memory'];
  /** What it needs and what is free, of memory and of disk. */
  fit: Fit;
  /** What `train` would warn of. */
  warnings: Extract<EventBody, { type: 'warning' }>[];
}

/** @param folder where the run would lie */
export function summarize(session: Session, folder: string): SessionSummary {
  const { job, model, data, loader, plan, totalSteps, trainableParameters } = session;
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
    savings: savingParts(plan.savings),
    memory: plan.memory,
    fit: fitOf(session, folder),
    warnings: sessionEvents(session).filter((event) => event.type === 'warning'),
  };
}

/** Says whether it fits; where it does not, the exit code is that of the error. */
export function printFit({ fit, warnings }: SessionSummary): void {
  const { memory, host, disk } = fit;
  const checkpoints = `${disk.checkpoints} × ${formatBytes(disk.checkpoint)}`;
  print();
  print(
    formatPairs([
      ['memory', `${formatBytes(memory.needed)} needed, ${formatBytes(memory.available)} free`],
      ...(host.needed > 0
        ? [['host memory', `${formatBytes(host.needed)} needed, ${formatBytes(host.available)} free`] as const]
        : []),
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

/** Equal parts of several layers in one line. */
function savingParts(savings: readonly Saving[]): SessionSummary['savings'] {
  const parts = Map.groupBy(savings, ({ how, what }) => `${how} ${what}`);
  return [...parts.values()].map((members) => ({
    how: (members[0] as Saving).how,
    what: (members[0] as Saving).what,
    layers: members.length,
    bytes: members.reduce((sum, { bytes }) => sum + bytes, 0),
    milliseconds: members.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  }));
}

export function printMemory({ memory, weightType, savings }: SessionSummary): void {
  const { total, libraries, host, ...classes } = memory;
  const rows = Object.entries({ ...classes, total, libraries, host });
  print(
    formatTable(
      [{ title: 'MEMORY' }, { title: 'SIZE', align: 'right' }, { title: 'BYTES', align: 'right' }],
      rows.map(([name, bytes]) => [name, formatBytes(bytes), formatCount(bytes)]),
    ),
  );
  print(`\n${weightType} weights`);
  printSavings(savings);
}

const inWords: Record<Saving['how'], string> = {
  recompute: 'computed again',
  place: "in the host's memory",
};

function printSavings(parts: SessionSummary['savings']): void {
  if (parts.length === 0) {
    print('the backward pass computes nothing again');
    return;
  }
  print();
  print(
    formatTable(
      [
        { title: 'TO SAVE MEMORY' },
        { title: 'HOW' },
        { title: 'LAYERS', align: 'right' },
        { title: 'SAVES', align: 'right' },
        { title: 'EXPECTED MS', align: 'right' },
      ],
      parts.map(({ how, what, layers, bytes, milliseconds }) => [
        what,
        inWords[how],
        formatCount(layers),
        formatBytes(bytes),
        milliseconds.toFixed(2),
      ]),
    ),
  );
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
