import { existsSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { baseOfAdapter } from '@anneal/core/models/adapters/baseOfAdapter';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import { parse } from 'yaml';
import { z } from 'zod';

/** What a recipe names that may lie in the cache. */
const namesSchema = z.object({
  base_model: z.string(),
  revision: z.string().nullish(),
  lora_model_dir: z.string().nullish(),
  trl: z.object({ reward_funcs: z.array(z.unknown()) }).nullish(),
});
const rewardModelSchema = z.object({ type: z.literal('reward_model'), model: z.string() });

/**
 * Which runs need what lies in a place: the model they began with, the adapter they began with, reward models that judge their answers,
 * and the models that those adapters are for. A run that cannot be read needs nothing, nor does it need what is gone.
 * @returns the ids of those that need this file, or anything in this folder
 */
export function usersOf(runs: readonly string[]): (place: string) => string[] {
  const needed = runs.map((run) => ({ id: basename(run), paths: pathsOf(run) }));
  return (place) =>
    needed
      .filter(({ paths }) => paths.some((path) => path === place || path.startsWith(place + sep)))
      .map(({ id }) => id);
}

function pathsOf(run: string): string[] {
  const names = orNothing(() => namesSchema.parse(parse(readRunFile(join(run, 'recipe.resolved.yaml')))));
  if (names === undefined) return [];
  const { base_model, revision, lora_model_dir: adapter, trl } = names;
  const rewards = (trl?.reward_funcs ?? []).flatMap((reward) => rewardModelSchema.safeParse(reward).data ?? []);
  return [
    orNothing(() => resolveModelPath(base_model, revision ? { revision } : {})),
    adapter ?? undefined,
    ...rewards.flatMap(({ model }) =>
      existsSync(join(model, 'adapter_config.json')) ? adapterAndBase(model) : whole(model),
    ),
  ].filter((path) => path !== undefined);
}

const whole = (model: string) => [orNothing(() => resolveModelPath(model))];

function adapterAndBase(folder: string) {
  const base = orNothing(() => baseOfAdapter(folder));
  return [folder, base && orNothing(() => resolveModelPath(base.baseModel, { revision: base.revision }))];
}

function orNothing<Found>(find: () => Found): Found | undefined {
  try {
    return find();
  } catch (error) {
    const { name } = error as Error;
    if (error instanceof UserError || name === 'YAMLParseError' || name === 'ZodError') return undefined;
    throw error;
  }
}
