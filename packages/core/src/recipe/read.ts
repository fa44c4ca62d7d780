import { readFile, stat } from 'node:fs/promises';
import { isMap, LineCounter, parseDocument, type YAMLParseError } from 'yaml';
import { UserError } from '../errors.ts';
import { combinationFindings } from './combinations.ts';
import { shapeFindings } from './findings.ts';
import { InvalidRecipe, type KeyPath, type Location, type RecipeProblem } from './problem.ts';
import { type Recipe, recipeSchema } from './schema.ts';
import { applyOverrides, at, locate, located, type RecipeSource } from './source.ts';

/** A recipe is written by hand: a few KiB. The cap keeps a wrong file from being parsed. */
const maxRecipeBytes = 1024 * 1024;
/** YAML aliases can blow up a small text exponentially; a recipe repeats a few lines at most. */
const maxAliases = 100;

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
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > maxRecipeBytes) throw tooLarge(path, size);
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserError({
      what: missing ? 'the recipe does not exist' : `the recipe cannot be read: ${(cause as Error).message}`,
      where: path,
      next: missing ? 'check the path, or write a first recipe with `anneal init`' : 'name a readable YAML file',
      code: missing ? 'recipe_missing' : 'recipe_unreadable',
      cause,
    });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError({
      what: 'the recipe is not UTF-8 text',
      where: path,
      next: 'save it as UTF-8',
      code: 'recipe_not_utf8',
      cause,
    });
  }
  return parseRecipe(text, path, overrides);
}

/** As `readRecipe`, for a text that is already there; `file` only names it in messages. */
export function parseRecipe(text: string, file: string, overrides: readonly string[] = []): ReadRecipe {
  const checked = checkRecipe(text, file, overrides);
  if (!checked.ok) throw new InvalidRecipe(file, checked.problems);
  return checked.value;
}

/**
 * All problems of a text at once, in the order of the text, for editors and `anneal validate`.
 * @throws UserError for an override that cannot be applied
 */
export function checkRecipe(text: string, file: string, overrides: readonly string[] = []): CheckedRecipe {
  if (text.length > maxRecipeBytes) throw tooLarge(file, text.length);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const source: RecipeSource = { file, document, lines, overrides: [] };
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) return { ok: false, problems: broken.map((error) => syntaxProblem(source, error)) };
  if (!isMap(document.contents)) {
    return { ok: false, problems: [{ ...notAMapping(document.contents === null), path: [], ...at(source, 0) }] };
  }
  applyOverrides(source, overrides);

  let value: Record<string, unknown>;
  try {
    value = document.toJS({ maxAliasCount: maxAliases }) as Record<string, unknown>;
  } catch (cause) {
    const what = `the aliases of the recipe cannot be followed: ${(cause as Error).message}`;
    const next = 'write the repeated parts out';
    return { ok: false, problems: [{ path: [], code: 'recipe_aliases', what, next, ...at(source, 0) }] };
  }
  const shape = shapeFindings(value);
  const unsound = new Set(shape.map((finding) => String(finding.path[0])));
  const sound = Object.fromEntries(
    Object.entries(value).filter(([key]) => !unsound.has(key) && key in recipeSchema.shape),
  );
  const findings = [...shape, ...combinationFindings(sound)];
  if (findings.length > 0) {
    return { ok: false, problems: findings.map((finding) => located(source, finding)).sort(byPlace) };
  }
  return {
    ok: true,
    value: {
      recipe: value as Recipe,
      text: overrides.length === 0 ? text : document.toString({ lineWidth: 0, flowCollectionPadding: false }),
      locate: (path) => locate(source, path),
    },
  };
}

function syntaxProblem(source: RecipeSource, error: Pick<YAMLParseError, 'code' | 'message' | 'pos'>): RecipeProblem {
  return {
    path: [],
    code: 'yaml_syntax',
    what: `not valid YAML: ${error.message}`,
    next: syntaxAdvice[error.code] ?? 'correct the YAML at this place',
    ...at(source, error.pos[0]),
  };
}

const syntaxAdvice: Partial<Record<YAMLParseError['code'], string>> = {
  DUPLICATE_KEY: 'keep one of the two',
  TAB_AS_INDENT: 'indent with spaces',
  TAG_RESOLVE_FAILED: 'remove the tag: a recipe holds plain values only',
  RESOURCE_EXHAUSTION: 'a recipe has three levels; check the brackets',
  MULTIPLE_DOCS: 'remove everything from the second --- on',
};

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

function tooLarge(file: string, size: number): UserError {
  return new UserError({
    what: `the recipe has ${size} bytes; at most ${maxRecipeBytes} are read`,
    where: file,
    next: 'check that this file is a recipe and not data',
    code: 'recipe_too_large',
  });
}
