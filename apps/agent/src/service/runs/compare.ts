import { join } from 'node:path';
import type { RunEvent } from '@anneal/core/protocol/events';
import { type CompareRunsRequest, compareRunsRequest, type RunComparison } from '@anneal/core/protocol/runs';
import { readRecipe } from '@anneal/core/recipe/read';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { type RunView, readRun } from '@anneal/core/trainer/runReader';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';
import { commonSteps, measure, stepByStep } from './measure.ts';

/** Two runs side by side: what differs in their recipes, and how they went. */
export async function compareRuns(context: Context, request: CompareRunsRequest): Promise<RunComparison> {
  const { a, b } = parseRequest(compareRunsRequest, request);
  const left = readRun(await pathOfRun(context, a));
  const right = readRun(await pathOfRun(context, b));
  const recipe = differences(await settingsOf(left), await settingsOf(right));
  const events = [eventsOf(left), eventsOf(right)] as const;
  return {
    runs: [sideOf(left, events[0]), sideOf(right, events[1])],
    commonSteps: commonSteps(...events),
    steps: stepByStep(...events),
    recipe,
  };
}

function sideOf({ status, path, state }: RunView, events: readonly RunEvent[]): RunComparison['runs'][number] {
  return { id: status.id, path, state, ...measure(events) };
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

function differences(a: Map<string, unknown>, b: Map<string, unknown>): RunComparison['recipe'] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((key) => JSON.stringify(a.get(key)) !== JSON.stringify(b.get(key)))
    .map((key) => ({ key, a: a.get(key), b: b.get(key) }));
}
