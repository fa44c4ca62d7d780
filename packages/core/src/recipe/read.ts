import { isMap } from 'yaml';
import { combinationFindings } from './combinations.ts';
import { shapeFindings } from './findings.ts';
import { write } from './layout.ts';
import { InvalidRecipe, type KeyPath, type Location, type RecipeProblem } from './problem.ts';
import { roundingFindings } from './rounding.ts';
import { type Recipe, recipeSchema } from './schema.ts';
import { applyOverrides, at, locate, located } from './source.ts';
import { parseYaml, plainValue, readText, syntaxProblems } from './yamlText.ts';

export interface ReadRecipe {
  /** What was written, overrides included: valid, without defaults. */
  recipe: Recipe;
  /** The text with the overrides applied and its comments kept. */
  text: string;
  /** Where a key was written, for errors that are found later. */
  locate: (path: KeyPath) => Location;
}

export type CheckedRecipe = { ok: true; value: ReadRecipe } | { ok: false; problems: RecipeProblem[] };

/**
 * Reads a recipe file.
 * @throws InvalidRecipe with every problem and its `file:line:column`; UserError when the file cannot be read
 */
export async function readRecipe(path: string, overrides: readonly string[] = []): Promise<ReadRecipe> {
  return parseRecipe(await readText(path), path, overrides);
}

/** As `readRecipe`, for a text that is already there; `file` only names it in messages. */
export function parseRecipe(text: string, file: string, overrides: readonly string[] = []): ReadRecipe {
  const checked = checkRecipe(text, file, overrides);
  if (!checked.ok) throw new InvalidRecipe(checked.problems);
  return checked.value;
}

/**
 * All problems of a text at once, in the order of the text, for editors and `anneal validate`.
 * @throws UserError for an override that cannot be applied
 */
export function checkRecipe(text: string, file: string, overrides: readonly string[] = []): CheckedRecipe {
  const source = parseYaml(text, file);
  const { document } = source;
  const broken = syntaxProblems(source);
  if (broken.length > 0) return { ok: false, problems: broken };
  if (!isMap(document.contents)) {
    return { ok: false, problems: [{ ...notAMapping(document.contents === null), path: [], ...at(source, 0) }] };
  }
  applyOverrides(source, overrides);

  const value = plainValue(source);
  if (!value.ok) return value;
  const shape = shapeFindings(value.plain);
  const unsound = new Set(shape.map((finding) => String(finding.path[0])));
  const sound = Object.fromEntries(
    Object.entries(value.plain).filter(([key]) => !unsound.has(key) && key in recipeSchema.shape),
  );
  const findings = [...shape, ...combinationFindings(sound), ...roundingFindings(sound)];
  if (findings.length > 0) {
    return { ok: false, problems: findings.map((finding) => located(source, finding)).sort(byPlace) };
  }
  return {
    ok: true,
    value: {
      recipe: value.plain as Recipe,
      text: overrides.length === 0 ? text : write(document),
      locate: (path) => locate(source, path),
    },
  };
}

function notAMapping(empty: boolean): Pick<RecipeProblem, 'code' | 'what' | 'next'> {
  return {
    code: empty ? 'recipe_empty' : 'wrong_type',
    what: empty ? 'the recipe is empty' : 'the recipe is not a mapping of keys to values',
    next: 'write lines like `base_model: smollm2-135m`, or start with `anneal init`',
  };
}

function byPlace(a: RecipeProblem, b: RecipeProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
