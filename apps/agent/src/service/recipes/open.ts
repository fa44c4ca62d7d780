import { basename, dirname, resolve } from 'node:path';
import { chooseDevice } from '@anneal/core/device';
import type { KeyPath, Location } from '@anneal/core/recipe/problem';
import { parseRecipe } from '@anneal/core/recipe/read';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import { checkSupported } from '@anneal/core/recipe/support';
import { toYaml } from '@anneal/core/recipe/toYaml';
import { readText } from '@anneal/core/recipe/yamlText';

export interface OpenedRecipe {
  /** Of the file, without its ending; a file called recipe.yaml is named by its folder. */
  name: string;
  /** As written, with the overrides applied. */
  text: string;
  resolved: ResolvedRecipe;
  /** The text of recipe.resolved.yaml. */
  resolvedText: string;
  /** Where a key was written. */
  locate: (path: KeyPath) => Location;
}

/**
 * Reads, checks and resolves a recipe; relative paths in it start at `baseDirectory`.
 * Throws InvalidRecipe with every problem and its line and column.
 */
export async function openRecipe(
  path: string,
  overrides: readonly string[] = [],
  baseDirectory: string = dirname(resolve(path)),
): Promise<OpenedRecipe> {
  return openRecipeText(await readText(path), path, overrides, baseDirectory);
}

/** As `openRecipe`, for a text that `path` does not hold yet. */
export function openRecipeText(
  written: string,
  path: string,
  overrides: readonly string[] = [],
  baseDirectory: string = dirname(resolve(path)),
): OpenedRecipe {
  const { recipe, text, locate } = parseRecipe(written, path, overrides);
  const resolved = resolveRecipe(recipe, { baseDirectory, locate });
  checkSupported(resolved, chooseDevice(resolved.device).kind, locate);
  return {
    name: recipeName(path),
    text,
    resolved,
    resolvedText: toYaml(resolved, recipe),
    locate,
  };
}

/** What its runs are called, unless somebody says otherwise. */
export function recipeName(path: string): string {
  const stem = basename(path).replace(/\.ya?ml$/i, '');
  return (stem === 'recipe' && basename(dirname(resolve(path)))) || stem;
}
