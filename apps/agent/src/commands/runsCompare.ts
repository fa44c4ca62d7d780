import { basename, join } from 'node:path';
import { withoutSuperseded } from '@anneal/core/protocol/events';
import { readRecipe } from '@anneal/core/recipe/read';
import { readEvents } from '@anneal/core/trainer/eventLog';
import { findRun, type RunView, readRun } from '@anneal/core/trainer/runReader';
import { print, printJson } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatCount, formatDuration, formatNumber } from '../terminal/units.ts';

interface Measures {
  steps: number;
  loss: number | null;
  validationLoss: number | null;
  bestValidationLoss: number | null;
  tokensPerSecond: number | null;
  milliseconds: number;
  tokens: number;
}

export async function compare(a: string, b: string, options: { runsDir: string; json?: boolean }): Promise<void> {
  const runs: [RunView, RunView] = [
    readRun(await findRun(options.runsDir, a)),
    readRun(await findRun(options.runsDir, b)),
  ];
  const recipe = differences(await settingsOf(runs[0]), await settingsOf(runs[1]));
  const measures = runs.map((run) => measure(run.path));
  if (options.json) {
    printJson({
      runs: runs.map((run, index) => ({ id: run.status.id, path: run.path, state: run.state, ...measures[index] })),
      recipe: recipe.map(([key, left, right]) => ({ key, a: left ?? null, b: right ?? null })),
    });
    return;
  }
  const titles = runs.map((run) => ({ title: basename(run.path) }));
  if (recipe.length === 0) print('the recipes are the same\n');
  else {
    const rows = recipe.map(([key, left, right]) => [key, show(left), show(right)]);
    print(`${formatTable([{ title: 'RECIPE' }, ...titles], rows)}\n`);
  }
  const row = (name: string, value: (measured: Measures) => string) => [name, ...measures.map(value)];
  print(
    formatTable(
      [{ title: 'RESULT' }, ...titles],
      [
        ['state', ...runs.map((run) => run.state)],
        row('steps', ({ steps }) => String(steps)),
        row('loss, mean of the last 10 steps', ({ loss }) => number(loss)),
        row('validation loss', ({ validationLoss }) => number(validationLoss)),
        row('best validation loss', ({ bestValidationLoss }) => number(bestValidationLoss)),
        row('tokens', ({ tokens }) => formatCount(tokens)),
        row('tokens/s', ({ tokensPerSecond }) => (tokensPerSecond === null ? '-' : formatCount(tokensPerSecond))),
        row('time in steps', ({ milliseconds }) => formatDuration(milliseconds)),
      ],
    ),
  );
}

async function settingsOf(run: RunView): Promise<Map<string, unknown>> {
  return flatten((await readRecipe(join(run.path, 'recipe.resolved.yaml'))).recipe);
}

function measure(path: string): Measures {
  const events = withoutSuperseded(readEvents(join(path, 'events.jsonl')));
  const steps = events.filter((event) => event.type === 'step');
  const evaluations = events.flatMap((event) =>
    event.type === 'evaluated' && event.loss !== null ? [event.loss] : [],
  );
  const losses = steps.slice(-10).map((event) => event.loss);
  const tokens = steps.reduce((sum, event) => sum + event.tokens, 0);
  const milliseconds = steps.reduce((sum, event) => sum + event.milliseconds, 0);
  return {
    steps: steps.length,
    loss:
      losses.length === 0 || losses.includes(null)
        ? null
        : losses.reduce<number>((sum, loss) => sum + (loss ?? 0), 0) / losses.length,
    validationLoss: evaluations.at(-1) ?? null,
    bestValidationLoss: evaluations.length === 0 ? null : Math.min(...evaluations),
    tokensPerSecond: milliseconds === 0 ? null : (tokens / milliseconds) * 1000,
    milliseconds,
    tokens,
  };
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
