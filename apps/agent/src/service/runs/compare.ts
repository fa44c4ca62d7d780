import { join } from 'node:path';
import { type CompareRunsRequest, compareRunsRequest, type RunComparison } from '@anneal/core/protocol/runs';
import { readRecipe } from '@anneal/core/recipe/read';
import { readRun } from '@anneal/core/trainer/runReader';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';
import { commonSteps, measure, stepByStep } from './measure.ts';
import { addTo, type RunRecord, recordOf } from './record.ts';

/** Runs side by side: what differs in their recipes, and how they went. */
export async function compareRuns(context: Context, request: CompareRunsRequest): Promise<RunComparison> {
  const { runs, steps } = parseRequest(compareRunsRequest, request);
  const paths = await Promise.all(runs.map((run) => pathOfRun(context, run)));
  const recorded = paths.map((path) => {
    const record = recordOf();
    const { status, state } = readRun(path, (event) => addTo(record, event));
    return { id: status.id, path, state, record };
  });
  return compareRecords(recorded, { steps });
}

/** A run whose events somebody has read. */
export type RecordedRun = Pick<RunComparison['runs'][number], 'id' | 'path' | 'state'> & { record: RunRecord };

/** @param options.steps with the loss of every step */
export async function compareRecords(
  runs: readonly RecordedRun[],
  options: { steps: boolean },
): Promise<RunComparison> {
  const settings = await Promise.all(runs.map(({ path }) => settingsOf(path)));
  const recipe = changedKeys(settings);
  const records = runs.map(({ record }) => record);
  return {
    runs: runs.map(({ record, ...run }, at) => {
      const own = settings[at] as ReadonlyMap<string, unknown>;
      const changed = recipe.filter((key) => own.has(key)).map((key) => [key, own.get(key)]);
      return { ...run, settings: Object.fromEntries(changed), ...measure(record) };
    }),
    commonSteps: commonSteps(records),
    steps: options.steps ? stepByStep(records) : null,
    recipe,
  };
}

async function settingsOf(run: string): Promise<Map<string, unknown>> {
  return flatten((await readRecipe(join(run, 'recipe.resolved.yaml'))).recipe);
}

/** `datasets.0.path` → value */
function flatten(value: unknown, prefix = '', into = new Map<string, unknown>()): Map<string, unknown> {
  if (value !== null && typeof value === 'object' && Object.keys(value).length > 0) {
    for (const [key, child] of Object.entries(value)) flatten(child, prefix ? `${prefix}.${key}` : key, into);
  } else into.set(prefix, value);
  return into;
}

/** Those that not every run has with the same value. */
function changedKeys(settings: readonly ReadonlyMap<string, unknown>[]): string[] {
  const keys = new Set(settings.flatMap((map) => [...map.keys()]));
  return [...keys].filter((key) => new Set(settings.map((map) => JSON.stringify(map.get(key)))).size > 1);
}
