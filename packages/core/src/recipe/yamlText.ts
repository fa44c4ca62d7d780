import { readFile } from 'node:fs/promises';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
import {
  type DocumentOptions,
  LineCounter,
  type ParseOptions,
  parseDocument,
  type SchemaOptions,
  type YAMLParseError,
} from 'yaml';
import { UserError } from '../errors.ts';
import type { RecipeProblem } from './problem.ts';
import { at, type RecipeSource } from './source.ts';

/** A recipe is written by hand: a few KiB. The cap keeps a wrong file from being parsed. */
const maxRecipeBytes = 1024 * 1024;
/** YAML aliases can blow up a small text exponentially; a recipe repeats a few lines at most. */
const maxAliases = 100;

/** @throws UserError when there is no such file, or it is too large or not UTF-8 */
export async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const size = refuseSpecialFile(path)?.size ?? 0;
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
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError({
      what: 'the recipe is not UTF-8 text',
      where: path,
      next: 'save it as UTF-8',
      code: 'recipe_not_utf8',
      cause,
    });
  }
}

export function parseYaml(
  text: string,
  file: string,
  options: ParseOptions & DocumentOptions & SchemaOptions = {},
): RecipeSource {
  if (text.length > maxRecipeBytes) throw tooLarge(file, text.length);
  const lines = new LineCounter();
  const document = parseDocument(text, { ...options, lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  return { file, document, lines, overrides: [] };
}

export function syntaxProblems(source: RecipeSource): RecipeProblem[] {
  return [...source.document.errors, ...source.document.warnings].map((error) => ({
    path: [],
    code: 'yaml_syntax',
    what: `not valid YAML: ${error.message}`,
    next: syntaxAdvice[error.code] ?? 'correct the YAML at this place',
    ...at(source, ...error.pos),
  }));
}

const syntaxAdvice: Partial<Record<YAMLParseError['code'], string>> = {
  DUPLICATE_KEY: 'keep one of the two',
  TAB_AS_INDENT: 'indent with spaces',
  TAG_RESOLVE_FAILED: 'remove the tag: a recipe holds plain values only',
  RESOURCE_EXHAUSTION: 'a recipe has three levels; check the brackets',
  MULTIPLE_DOCS: 'remove everything from the second --- on',
};

/** The mapping that a document holds, its aliases followed. */
export function plainValue(
  source: RecipeSource,
): { ok: true; plain: Record<string, unknown> } | { ok: false; problems: RecipeProblem[] } {
  try {
    return { ok: true, plain: source.document.toJS({ maxAliasCount: maxAliases }) as Record<string, unknown> };
  } catch (cause) {
    const what = `the aliases of the recipe cannot be followed: ${(cause as Error).message}`;
    const next = 'write the repeated parts out';
    return { ok: false, problems: [{ path: [], code: 'recipe_aliases', what, next, ...at(source, 0) }] };
  }
}

function tooLarge(file: string, size: number): UserError {
  return new UserError({
    what: `the recipe has ${size} bytes; at most ${maxRecipeBytes} are read`,
    where: file,
    next: 'check that this file is a recipe and not data',
    code: 'recipe_too_large',
  });
}
