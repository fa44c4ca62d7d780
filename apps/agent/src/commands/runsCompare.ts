import { basename, join } from 'node:path';
import type { RunEvent } from '@anneal/core/protocol/events';
import { readRecipe } from '@anneal/core/recipe/read';
import { readEvents } from '@anneal/core/trainer/eventLog';
import { findRun, type RunView, readRun } from '@anneal/core/trainer/runReader';
import {
  type CommonSteps,
  type ComparedStep,
  commonSteps,
  type Measures,
  measure,
  stepByStep,
} from '../compare/measure.ts';
import { print, printJson } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatCount, formatDuration, formatNumber } from '../terminal/units.ts';

export async function compare(
  a: string,
  b: string,
  options: { runsDir: string; json?: boolean; steps?: boolean },
): Promise<void> {
  const runs: [RunView, RunView] = [
    readRun(await findRun(options.runsDir, a)),
    readRun(await findRun(options.runsDir, b)),
  ];
  const recipe = differences(await settingsOf(runs[0]), await settingsOf(runs[1]));
  const [left, right] = [eventsOf(runs[0]), eventsOf(runs[1])];
  const measures = [measure(left), measure(right)];
  const common = commonSteps(left, right);
  if (options.json) {
    printJson({
      runs: runs.map((run, index) => ({ id: run.status.id, path: run.path, state: run.state, ...measures[index] })),
      commonSteps: common,
      steps: stepByStep(left, right),
      recipe: recipe.map(([key, inA, inB]) => ({ key, a: inA ?? null, b: inB ?? null })),
    });
    return;
  }
  const titles = runs.map((run) => ({ title: basename(run.path) }));
  if (recipe.length === 0) print('the recipes are the same\n');
  else {
    const rows = recipe.map(([key, inA, inB]) => [key, show(inA), show(inB)]);
    print(`${formatTable([{ title: 'RECIPE' }, ...titles], rows)}\n`);
  }
  const row = (name: string, value: (measured: Measures) => string) => [name, ...measures.map(value)];
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
        [lossOf(common), ...common.losses.map(number)],
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
  if (options.steps) printSteps(stepByStep(left, right), titles);
}

/** One line for every step that either of them recorded. */
function printSteps(steps: readonly ComparedStep[], titles: readonly { title: string }[]): void {
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

function eventsOf(run: RunView): RunEvent[] {
  const told = new Set<RunEvent['type']>(['step', 'evaluated', 'resumed', 'finished']);
  return [...readEvents(join(run.path, 'events.jsonl'))].filter(({ type }) => told.has(type));
}

async function settingsOf(run: RunView): Promise<Map<string, unknown>> {
  return flatten((await readRecipe(join(run.path, 'recipe.resolved.yaml'))).recipe);
}

/** `datasets.0.path` → value */
function flatten(value: unknown, prefix = '', into = new Map<string, unknown>()): Map<string, unknown> {
  if (value !== null && typeof value === 'object' && Object.keys(value).length > 0) {
    for (const [key, child] of Object.entries(value)) flatten(child, prefix ? `${prefix}.${key}` : key, into);
  } else into.set(prefix, value);
  return into;
}

function differences(a: Map<string, unknown>, b: Map<string, unknown>): [string, unknown, unknown][] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((key) => JSON.stringify(a.get(key)) !== JSON.stringify(b.get(key)))
    .map((key) => [key, a.get(key), b.get(key)]);
}

function show(value: unknown): string {
  return value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}

function number(value: number | null): string {
  return value === null ? '-' : formatNumber(value);
}

function lossOf({ steps }: CommonSteps): string {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === last) return `loss of ${first === undefined ? 'steps' : `step ${first}`}, recorded in both`;
  return `loss, mean of ${steps.length} steps recorded in both, ${first} to ${last}`;
}

function inRecorded(counted: number, steps: number): string {
  return counted < steps ? ` in ${counted} steps` : '';
}
