import type { RunComparison } from '@anneal/core/protocol/runs';
import { csvLine } from '../csv.ts';

const measures = [
  'steps',
  'recordedSteps',
  'loss',
  'validationLoss',
  'bestValidationLoss',
  'tokensPerSecond',
  'tokens',
  'milliseconds',
  'timedSteps',
] as const;

/**
 * A comparison as a table for other programs: a line for each run, with what was measured and the settings that differ; where the
 * losses of every step were asked for a line for each step instead, with a column for each run. Texts stand as they are, other
 * values of settings as JSON.
 */
export function comparisonCsv({ runs, recipe, steps }: RunComparison): string {
  if (steps !== null) {
    const lines = steps.map(({ step, losses }) => csvLine([step, ...losses]));
    return csvLine(['step', ...runs.map(({ path }) => path)]) + lines.join('');
  }
  const head = csvLine(['run', 'state', ...measures, ...recipe]);
  const lines = runs.map((run) => {
    const settings = recipe.map((key) => (key in run.settings ? textOf(run.settings[key]) : null));
    return csvLine([run.path, run.state, ...measures.map((name) => run[name]), ...settings]);
  });
  return head + lines.join('');
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
