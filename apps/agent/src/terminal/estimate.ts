/** How a terminal shows what a run would be. */
import type { Estimate } from '@anneal/core/protocol/estimates';
import { formatBytes, formatCount } from '../units.ts';
import { colors } from './colors.ts';
import { print } from './print.ts';
import { printError } from './reportError.ts';
import { printEvent } from './runProgress.ts';
import { formatPairs, formatTable } from './table.ts';

/** Says whether it fits. */
export function printFit({ fit, warnings, error }: Estimate): void {
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
  if (error) printError(error, { json: false });
  else print(colors.green('it fits'));
}

export function printMemory({ memory, weightType, savings }: Estimate): void {
  const { total, libraries, driver, host, ...classes } = memory;
  const rows = Object.entries({ ...classes, total, libraries, driver, host });
  print(
    formatTable(
      [{ title: 'MEMORY' }, { title: 'SIZE', align: 'right' }, { title: 'BYTES', align: 'right' }],
      rows.map(([name, bytes]) => [name, formatBytes(bytes), formatCount(bytes)]),
    ),
  );
  print(`\n${weightType} weights`);
  printSavings(savings);
}

const inWords: Record<Estimate['savings'][number]['how'], string> = {
  recompute: 'computed again',
  offload: 'copied to the host and back',
  place: "in the host's memory",
};

function printSavings(parts: Estimate['savings']): void {
  if (parts.length === 0) {
    print('the backward pass recomputes nothing');
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

export function printRun({ model, data, steps }: Estimate): void {
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
        `${formatCount(data.tokens)}, ${formatCount(data.targetTokens)} trained (${share.toFixed(0)} %)`,
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
