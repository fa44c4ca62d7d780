/** What a model card tells of a run. Nothing of it is a path of this machine. */
import { basename, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { CardFacts, CardRun, CurvePoint } from '@anneal/core/export/modelCard';
import { modelByName } from '@anneal/core/hub/catalog';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { preparedSummarySchema } from '@anneal/core/protocol/data';
import { readRecipe } from '@anneal/core/recipe/read';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { kindOf, readRunFile } from '@anneal/core/trainer/runFiles';
import { readPinned } from '@anneal/core/trainer/runHashes';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { licenseOf } from '../models/list.ts';
import { mean, measure } from '../runs/measure.ts';
import { addTo, finiteOrNull, type RunRecord, recordOf } from '../runs/record.ts';
import { isPath } from './namedPaths.ts';

/** Rows of the curve's table. */
const mostPoints = 20;

/** Keys that say where on this machine things lie, and no more. */
const placeKeys = ['output_dir', 'resume_from_checkpoint'];

export async function baseOf(run: string): Promise<CardFacts['base']> {
  const { recipe } = await readRecipe(join(run, 'recipe.resolved.yaml'));
  const id = modelByName(recipe.base_model)?.entry.id ?? null;
  return { id, license: licenseHere(recipe.base_model, recipe.revision ?? undefined) };
}

/** @param step of the checkpoint that was exported: what came later does not count */
export function cardRun(run: string, step: number): CardRun {
  const record = recordOf();
  for (const event of readEvents(join(run, 'events.jsonl'))) {
    if (!('step' in event) || event.step <= step) addTo(record, event);
  }
  return {
    id: basename(run),
    step,
    recipe: recipeWithoutPaths(readRunFile(join(run, 'recipe.resolved.yaml'))),
    hashes: readPinned(run) ?? null,
    data: preparedData(join(run, 'data', 'manifest.json')),
    measures: measure(record),
    curve: curveOf(record),
  };
}

function licenseHere(baseModel: string, revision: string | undefined): string | null {
  try {
    return licenseOf(resolveModelPath(baseModel, { revision }));
  } catch (error) {
    if (error instanceof UserError) return null; // the base is not on this machine any more
    throw error;
  }
}

/** The settings as they were, of paths their last part only. */
function recipeWithoutPaths(text: string): string {
  const settings = parse(text) as Record<string, unknown>;
  for (const key of placeKeys) delete settings[key];
  return stringify(settings, (_, value: unknown) =>
    typeof value === 'string' && isPath(value) ? basename(value) : value,
  );
}

const manifestSchema = z.object({ summary: preparedSummarySchema });

function preparedData(path: string): CardRun['data'] {
  if (kindOf(path) === undefined) return null;
  const { kept, tokens, targetTokens, files } = manifestSchema.parse(JSON.parse(readRunFile(path))).summary;
  return {
    kept,
    tokens,
    targetTokens,
    files: files.map(({ path: file, bytes, sha256 }) => ({ name: basename(file), bytes, sha256 })),
  };
}

/** At most `mostPoints`, evenly over the steps on record. */
function curveOf({ steps, losses, learningRates, evaluations }: RunRecord): CurvePoint[] {
  const points = Math.min(mostPoints, steps.length);
  return Array.from({ length: points }, (_, i) => {
    const [from, to] = [i, i + 1].map((part) => Math.round((part * steps.length) / points)) as [number, number];
    const last = steps[to - 1] as number;
    const before = steps[from - 1] ?? 0;
    const measured = evaluations.findLast(({ step }) => step > before && step <= last);
    return {
      step: last,
      loss: mean(losses.slice(from, to).map(finiteOrNull)),
      learningRate: learningRates[to - 1] as number,
      validationLoss: measured?.loss ?? null,
    };
  });
}
