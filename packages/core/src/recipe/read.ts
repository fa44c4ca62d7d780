import { isMap } from 'yaml';
import { combinationFindings } from './combinations.ts';
import { shapeFindings } from './findings.ts';
import { kindOf, otherKindFinding, type RecipeKind, trainingRecipe } from './kinds.ts';
import { write } from './layout.ts';
import { type Finding, InvalidRecipe, type KeyPath, type Location, type RecipeProblem } from './problem.ts';
import { roundingFindings } from './rounding.ts';
import { type Recipe, recipeSchema } from './schema.ts';
import { applyOverrides, at, locate, located, type RecipeSource } from './source.ts';
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
  const checked = checkYaml(text, file, overrides, {
    kind: trainingRecipe,
    example: 'write lines like `base_model: smollm2-135m`, or start with `anneal init`',
    findings(plain) {
      const shape = shapeFindings(plain);
      const unsound = new Set(shape.map((finding) => String(finding.path[0])));
      const sound = Object.fromEntries(
        Object.entries(plain).filter(([key]) => !unsound.has(key) && key in recipeSchema.shape),
      );
      return [...shape, ...combinationFindings(sound, unsound), ...roundingFindings(sound)];
    },
  });
  if (!checked.ok) return checked;
  const { source, plain } = checked;
  return {
    ok: true,
    value: {
      recipe: plain as Recipe,
      text: overrides.length === 0 ? text : write(source.document),
      locate: (path) => locate(source, path),
    },
  };
}

/** Every kind of recipe is read like this. @throws UserError for an override that cannot be applied */
export function checkYaml(
  text: string,
  file: string,
  overrides: readonly string[],
  options: { kind: RecipeKind; example: string; findings: (plain: Record<string, unknown>) => Finding[] },
): { ok: true; source: RecipeSource; plain: Record<string, unknown> } | { ok: false; problems: RecipeProblem[] } {
  const source = parseYaml(text, file);
  const { document } = source;
  const broken = syntaxProblems(source);
  if (broken.length > 0) return { ok: false, problems: broken };
  if (!isMap(document.contents)) {
    return {
      ok: false,
      problems: [{ ...notAMapping(document.contents === null, options.example), path: [], ...at(source, 0) }],
    };
  }
  applyOverrides(source, overrides);

  const value = plainValue(source);
  if (!value.ok) return value;
  const otherKind = otherKindFinding(value.plain, options.kind);
  const findings = otherKind ? [otherKind] : options.findings(value.plain);
  if (findings.length > 0) {
    return { ok: false, problems: findings.map((finding) => located(source, finding)).sort(byPlace) };
  }
  return { ok: true, source, plain: value.plain };
}

/** The kind of recipe that a text is; undefined where it cannot be told. */
export function kindOfText(text: string, file: string): RecipeKind | undefined {
  const source = parseYaml(text, file);
  const value = syntaxProblems(source).length === 0 && isMap(source.document.contents) ? plainValue(source) : undefined;
  return value?.ok ? kindOf(value.plain) : undefined;
}

function notAMapping(empty: boolean, next: string): Pick<RecipeProblem, 'code' | 'what' | 'next'> {
  return {
    code: empty ? 'recipe_empty' : 'wrong_type',
    what: empty ? 'the recipe is empty' : 'the recipe is not a mapping of keys to values',
    next,
  };
}

function byPlace(a: RecipeProblem, b: RecipeProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
