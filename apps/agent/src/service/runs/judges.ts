/** Whom the runs of an agent may ask to judge answers: as recipes that make rows, only what an admin has configured. */
import { join } from 'node:path';
import { parseRecipe } from '@anneal/core/recipe/read';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import type { LentKeys } from '@anneal/core/synthesis/apiKey';
import { rolloutJob } from '@anneal/core/trainer/rolloutOptions';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import type { AllowedEndpoint } from '../context.ts';
import { keyFor } from '../synthesis/allowed.ts';

/** @throws UserError `endpoint_not_configured`, `api_key_of_agent` */
export function assertJudgesAllowed(recipe: ResolvedRecipe, endpoints: readonly AllowedEndpoint[]): void {
  lentKeys(recipe, endpoints);
}

/**
 * The addresses that a launch of a run may ask, with the keys kept for them. Looked at by every launch: a run may come from
 * elsewhere, and an address may have been removed while it waited. Its device may be gone, too: this launch may change it.
 * @throws UserError `endpoint_not_configured`, `api_key_of_agent`
 */
export function keysOfJudges(run: string, endpoints: readonly AllowedEndpoint[]): LentKeys {
  const file = join(run, 'recipe.resolved.yaml');
  const resolved = resolveRecipe(parseRecipe(readRunFile(file), file).recipe, { baseDirectory: run });
  return lentKeys(resolved, endpoints);
}

function lentKeys(recipe: ResolvedRecipe, endpoints: readonly AllowedEndpoint[]): LentKeys {
  const judges = (rolloutJob(recipe)?.rewards ?? []).filter((reward) => reward.type === 'judge');
  return Object.fromEntries(
    judges.map(({ endpoint }) => [endpoint.url, keyFor(endpoint, 'trl.reward_funcs', endpoints)]),
  );
}
