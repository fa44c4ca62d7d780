/** Runs side by side as tables: of two a column for each run, of more a line for each, which their names would not fit above. */
import { basename } from 'node:path';
import type { RunComparison } from '@anneal/core/protocol/runs';
import type { SeedGroup, Spread } from '@anneal/core/protocol/seedGroups';
import { formatCount, formatDuration, formatNumber } from '../units.ts';
import { type Column, formatTable } from './table.ts';

type ComparedRun = RunComparison['runs'][number];

interface Measure {
  /** Before a line, and above a column. */
  name: string;
  title: string;
  value: (run: ComparedRun, at: number) => string;
}

/** What stands above the column of a run: its name, of more than two its number. */
function runColumns({ runs }: RunComparison): Column[] {
  return runs.map(({ path }, at) => ({ title: runs.length === 2 ? basename(path) : String(at + 1) }));
}

export function formatRecipes(comparison: RunComparison): string {
  const { runs, recipe } = comparison;
  if (recipe.length === 0) return 'the recipes are the same';
  const rows = recipe.map((key) => [key, ...runs.map(({ settings }) => show(settings[key]))]);
  return formatTable([{ title: 'RECIPE' }, ...runColumns(comparison)], rows);
}

export function formatResults(comparison: RunComparison): string {
  const { runs } = comparison;
  const measures = measuresOf(comparison);
  if (runs.length === 2) {
    const rows = measures.map(({ name, value }) => [name, ...runs.map(value)]);
    return formatTable([{ title: 'RESULT' }, ...runColumns(comparison)], rows);
  }
  const columns = [{ title: '#' }, { title: 'RUN' }, ...measures.map(({ title }) => ({ title }))];
  const rows = runs.map((run, at) => [
    String(at + 1),
    basename(run.path),
    ...measures.map(({ value }) => value(run, at)),
  ]);
  return `${formatTable(columns, rows)}\n\n${legendOf(comparison)}`;
}

/** A line for each recipe that was trained with several seeds. */
export function formatSeeds({ runs }: RunComparison, groups: readonly SeedGroup[]): string {
  const rows = groups.map((group) => [
    group.runs.map((at) => show(runs[at]?.settings['seed'])).join(', '),
    String(group.runs.length),
    spread(group.loss),
    spread(group.validationLoss),
    spread(group.bestValidationLoss),
  ]);
  const columns = ['SEEDS', 'RUNS', 'LOSS', 'VALIDATION', 'BEST'].map((title) => ({ title }));
  return `${formatTable(columns, rows)}\n\nmean ± standard deviation over the seeds`;
}

function spread(of: Spread | null): string {
  return of === null ? '-' : `${formatNumber(of.mean)} ± ${formatNumber(of.deviation)}`;
}

/** One line for every step that any of them recorded. */
export function formatSteps(comparison: RunComparison): string {
  const isPair = comparison.runs.length === 2;
  const rows = (comparison.steps ?? []).map(({ step, losses }) => {
    const cells = losses.map((loss) => (loss === undefined ? '' : number(loss)));
    return [String(step), ...cells, ...(isPair ? [difference(losses[0], losses[1])] : [])];
  });
  const columns = [{ title: 'STEP' }, ...runColumns(comparison), ...(isPair ? [{ title: 'DIFFERENCE' }] : [])];
  return formatTable(
    columns.map((column) => ({ ...column, align: 'right' as const })),
    rows,
  );
}

function measuresOf({ runs, commonSteps: { steps, losses } }: RunComparison): Measure[] {
  const isPair = runs.length === 2;
  const toFirst: Measure = {
    name: 'difference',
    title: 'TO FIRST',
    value: (_, at) => (at === 0 ? '' : difference(losses[0], losses[at])),
  };
  return [
    { name: 'state', title: 'STATE', value: ({ state }) => state },
    {
      name: 'steps',
      title: 'STEPS',
      value: (run) => run.steps + (run.recordedSteps < run.steps ? `, ${run.recordedSteps} recorded` : ''),
    },
    { name: 'loss, mean of the last 10 recorded steps', title: 'LOSS', value: ({ loss }) => number(loss) },
    { name: nameOfCommon(steps, 'both'), title: 'COMMON', value: (_, at) => number(losses[at] ?? null) },
    ...(isPair ? [] : [toFirst]),
    { name: 'validation loss', title: 'VALIDATION', value: ({ validationLoss }) => number(validationLoss) },
    { name: 'best validation loss', title: 'BEST', value: ({ bestValidationLoss }) => number(bestValidationLoss) },
    {
      name: 'tokens/s',
      title: 'TOKENS/S',
      value: ({ tokensPerSecond }) => (tokensPerSecond === null ? '-' : formatCount(tokensPerSecond)),
    },
    {
      name: 'tokens',
      title: 'TOKENS',
      value: ({ tokens, recordedSteps, steps: all }) => formatCount(tokens) + inRecorded(recordedSteps, all),
    },
    {
      name: 'time in steps',
      title: 'TIME IN STEPS',
      value: ({ milliseconds, timedSteps, steps: all }) => formatDuration(milliseconds) + inRecorded(timedSteps, all),
    },
  ];
}

function legendOf({ commonSteps: { steps } }: RunComparison): string {
  return [
    'LOSS: mean of the last 10 recorded steps',
    steps.length === 0
      ? 'COMMON: no step is recorded in all of them'
      : `COMMON: ${nameOfCommon(steps, 'all')}; TO FIRST: its difference to the first run`,
    'VALIDATION and BEST: the last and the lowest validation loss',
  ].join('\n');
}

function nameOfCommon(steps: readonly number[], whom: 'both' | 'all'): string {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === last) return `loss of ${first === undefined ? 'steps' : `step ${first}`}, recorded in ${whom}`;
  return `loss, mean of ${steps.length} steps recorded in ${whom}, ${first} to ${last}`;
}

function inRecorded(counted: number, steps: number): string {
  return counted < steps ? ` in ${counted} ${counted === 1 ? 'step' : 'steps'}` : '';
}

function difference(from: number | null | undefined, to: number | null | undefined): string {
  return typeof from === 'number' && typeof to === 'number' ? formatNumber(to - from) : '';
}

function number(value: number | null): string {
  return value === null ? '-' : formatNumber(value);
}

function show(value: unknown): string {
  return value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}
