import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import type { Recipe } from '../schema.ts';

/** Other trainers start relative paths where they are run, Anneal at the recipe. */
export interface Move {
  /** Folders in which a file of the other recipe may lie, the likeliest first. */
  places: readonly string[];
  /** The folder of our recipe. */
  target: string;
}

/** Names the files that are there from where our recipe will lie; all else stays as it is written. */
export function relocate(recipe: Partial<Recipe>, { places, target }: Move): Partial<Recipe> {
  const moved = (path: string): string => {
    const found = isAbsolute(path) ? undefined : places.map((place) => resolve(place, path)).find(existsSync);
    if (found === undefined) return path;
    const fromTarget = relative(target, found);
    return fromTarget.startsWith('.') || !path.startsWith('.') ? fromTarget : `./${fromTarget}`;
  };
  const result = { ...recipe };
  for (const key of ['base_model', 'lora_model_dir', 'chat_template', 'resume_from_checkpoint'] as const) {
    const path = result[key];
    if (typeof path === 'string') result[key] = moved(path);
  }
  for (const key of ['datasets', 'test_datasets'] as const) {
    const list = result[key];
    if (list) result[key] = list.map((dataset) => ({ ...dataset, path: moved(dataset.path) }));
  }
  return result;
}
