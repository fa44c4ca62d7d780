import { basename } from 'node:path';
import type { RunComparison, RunMeasures } from '@anneal/core/protocol/runs';
import { print, printJson } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatCount, formatDuration, formatNumber } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function compare(a: string, b: string, options: RunsOptions & { steps?: boolean }): Promise<void> {
  const compareRuns = await useCase('compareRuns');
  const comparison = await compareRuns(contextOf(options), { a, b });
  const { runs, commonSteps, recipe } = comparison;
  if (options.json) {
    const differences = recipe.map(({ key, a: inA = null, b: inB = null }) => ({ key, a: inA, b: inB }));
    return printJson({ ...comparison, recipe: differences });
  }
  const titles = runs.map((run) => ({ title: basename(run.path) }));
  if (recipe.length === 0) print('the recipes are the same\n');
  else {
    const rows = recipe.map(({ key, a: inA, b: inB }) => [key, show(inA), show(inB)]);
    print(`${formatTable([{ title: 'RECIPE' }, ...titles], rows)}\n`);
  }
  const row = (name: string, value: (measured: RunMeasures) => string) => [name, ...runs.map(value)];
  print(
    formatTable(
      [{ title: 'RESULT' }, ...titles],
      [
        ['state', ...runs.map((run) => run.state)],
        row(
          'steps',
          ({ steps, recordedSteps }) => steps + (recordedSteps < steps ? `, ${recordedSteps} recorded` : ''),
        ),
        row('loss, mean of the last 10 recorded steps', ({ loss }) => number(loss)),
        [lossOf(commonSteps), ...commonSteps.losses.map(number)],
        row('validation loss', ({ validationLoss }) => number(validationLoss)),
        row('best validation loss', ({ bestValidationLoss }) => number(bestValidationLoss)),
        row('tokens/s', ({ tokensPerSecond }) => (tokensPerSecond === null ? '-' : formatCount(tokensPerSecond))),
        row('tokens', ({ tokens, recordedSteps, steps }) => formatCount(tokens) + inRecorded(recordedSteps, steps)),
        row(
          'time in steps',
          ({ milliseconds, timedSteps, steps }) => formatDuration(milliseconds) + inRecorded(timedSteps, steps),
        ),
      ],
    ),
  );
  if (options.steps) printSteps(comparison.steps, titles);
}

/** One line for every step that either of them recorded. */
function printSteps(steps: RunComparison['steps'], titles: readonly { title: string }[]): void {
  const rows = steps.map(({ step, losses: [a, b] }) => [
    String(step),
    recorded(a),
    recorded(b),
    typeof a === 'number' && typeof b === 'number' ? formatNumber(b - a) : '',
  ]);
  const columns = [{ title: 'STEP' }, ...titles, { title: 'DIFFERENCE' }];
  print(
    `\n${formatTable(
      columns.map((column) => ({ ...column, align: 'right' as const })),
      rows,
    )}`,
  );
}

function recorded(loss: number | null | undefined): string {
  return loss === undefined ? '' : number(loss);
}

function show(value: unknown): string {
  return value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}

function number(value: number | null): string {
  return value === null ? '-' : formatNumber(value);
}

function lossOf({ steps }: RunComparison['commonSteps']): string {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === last) return `loss of ${first === undefined ? 'steps' : `step ${first}`}, recorded in both`;
  return `loss, mean of ${steps.length} steps recorded in both, ${first} to ${last}`;
}

function inRecorded(counted: number, steps: number): string {
  return counted < steps ? ` in ${counted} steps` : '';
}
