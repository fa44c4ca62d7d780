/** Whom the runs of an agent may ask to judge answers: as recipes that make rows, only what an admin has configured. */
import { join } from 'node:path';
import { parseRecipe } from '@anneal/core/recipe/read';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import type { JudgeReward } from '@anneal/core/rewards/answer';
import { rolloutJob } from '@anneal/core/trainer/rolloutOptions';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import type { AllowedEndpoint } from '../context.ts';
import { keyFor } from '../synthesis/allowed.ts';

/** @throws UserError `endpoint_not_configured`, `api_key_of_agent` */
export function assertJudgesAllowed(recipe: ResolvedRecipe, endpoints: readonly AllowedEndpoint[]): void {
  for (const { endpoint } of judgesOf(recipe)) keyFor(endpoint, 'trl.reward_funcs', endpoints);
}

/** By address, the kept keys that a run is to send to its judges. Its device may be gone: this launch may change it. */
export function keysOfJudges(run: string, endpoints: readonly AllowedEndpoint[]): Readonly<Record<string, string>> {
  const file = join(run, 'recipe.resolved.yaml');
  const resolved = resolveRecipe(parseRecipe(readRunFile(file), file).recipe, { baseDirectory: run });
  const keys = judgesOf(resolved).flatMap(({ endpoint }) => {
    const key = endpoints.find(({ url }) => url === endpoint.url)?.apiKey ?? null;
    return key === null ? [] : [[endpoint.url, key] as const];
  });
  return Object.fromEntries(keys);
}

const judgesOf = (recipe: ResolvedRecipe): JudgeReward[] =>
  (rolloutJob(recipe)?.rewards ?? []).filter((reward) => reward.type === 'judge');
