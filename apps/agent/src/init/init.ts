/** The beginning of a project: a recipe, and the starter's model and rows where none were named. */
import { existsSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { type ImportedRecipe, importRecipeFile } from '@anneal/core/recipe/import/index';
import { InvalidRecipe } from '@anneal/core/recipe/problem';
import { starterRecipe } from '@anneal/core/recipe/starter';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import type { InitOptions } from '../commands/init.ts';
import { checkSources } from '../recipeCheck/checkSources.ts';
import { openRecipe } from '../service/recipes/open.ts';
import { asCalled } from '../terminal/asCalled.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { printEvent } from '../terminal/runProgress.ts';
import { formatTable } from '../terminal/table.ts';
import { starterFolder } from './starterFolder.ts';

export async function init(folder: string, options: InitOptions): Promise<void> {
  const target = resolve(folder);
  if (options.from !== undefined) return translate(target, options.from, options);
  if (options.model === undefined && options.data === undefined) return copyStarter(target, options);

  const baseModel = options.model ?? 'smollm2-135m';
  const files = ['recipe.yaml'];
  refuseMissing(baseModel, options.data);
  refuseExisting(target, files);
  makeFolder(target);
  let dataset = options.data === undefined ? undefined : relative(target, resolve(options.data));
  if (dataset === undefined) {
    dataset = join('data', 'harbour.jsonl');
    refuseExisting(target, [dataset]);
    await cp(join(starterFolder, dataset), join(target, dataset), { recursive: true });
    files.push(dataset);
  }
  await writeFile(join(target, 'recipe.yaml'), starterRecipe({ baseModel: pathOrName(baseModel, target), dataset }));
  await report(target, files, options);
}

/** A model small enough to come along, rows made for it, and a recipe: trains in a minute, without any download. */
async function copyStarter(target: string, options: InitOptions): Promise<void> {
  const parts = ['recipe.yaml', 'data', 'model'];
  refuseExisting(target, parts);
  makeFolder(target);
  for (const part of parts) await cp(join(starterFolder, part), join(target, part), { recursive: true });
  await report(target, parts, options);
}

async function translate(target: string, from: string, options: InitOptions): Promise<void> {
  refuseExisting(target, ['recipe.yaml']);
  const imported = await importRecipeFile(from, target);
  makeFolder(target);
  await writeFile(join(target, 'recipe.yaml'), imported.text);
  if (options.json) {
    const { kind, translated, untranslated, implied, problems } = imported;
    return printJson({ folder: target, files: ['recipe.yaml'], kind, translated, untranslated, implied, problems });
  }
  printTranslation(imported);
  await report(target, ['recipe.yaml'], options, imported.problems.length > 0);
}

function printTranslation({ translated, untranslated, implied, problems }: ImportedRecipe): void {
  const rows = [
    ...translated.map(({ from, to, note }) => [from, to, note ?? '']),
    ...implied.map(({ key, value, note }) => ['', `${key}: ${JSON.stringify(value)}`, note]),
    ...untranslated.map(({ key, reason }) => [key, colors.yellow('not translated'), reason]),
  ];
  print(formatTable([{ title: 'THEIRS' }, { title: 'OURS' }, { title: 'NOTE' }], rows));
  print();
  printProblems(problems);
}

/** What was written, what is still to be done by hand, and how to go on. */
async function report(
  target: string,
  files: readonly string[],
  options: InitOptions,
  knownProblems = false,
): Promise<void> {
  const path = join(target, 'recipe.yaml');
  const { problems, warnings, pull } = knownProblems
    ? { problems: [], warnings: [], pull: null }
    : await remaining(path);
  if (options.json)
    return printJson({ folder: target, files, problems, warnings, ...(pull && { modelMissing: pull }) });
  const recipe = relative('.', path);
  print(`wrote ${files.map((file) => relative('.', join(target, file))).join(', ')}`);
  printProblems(problems);
  for (const warning of warnings) printEvent(warning, remark);
  if (pull) remark(`  the model is not here yet; ${pull}`);
  print(asCalled(`  look at what is trained: anneal inspect ${recipe}`));
  print(asCalled(`  train:                   anneal train ${recipe}`));
}

/** What is wrong with a recipe that has just been written: its model or its rows may not be there, or not be readable. */
async function remaining(path: string): ReturnType<typeof checkSources> {
  try {
    return await checkSources(await openRecipe(path));
  } catch (error) {
    if (error instanceof InvalidRecipe) return { problems: [...error.problems], warnings: [], pull: null };
    throw error;
  }
}

function printProblems(problems: readonly { what: string; next: string }[]): void {
  for (const { what, next } of problems) print(`${colors.yellow('to complete by hand:')} ${what}; ${next}`);
}

/** Said before there is a recipe that can only fail. */
function refuseMissing(model: string, data: string | undefined): void {
  if (data !== undefined && !existsSync(data)) {
    throw new UserError({
      what: 'there is no such data file or folder',
      where: resolve(data),
      next: 'correct the path after --data',
      code: 'file_not_found',
    });
  }
  try {
    resolveModelPath(model);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'model_not_pulled') throw error;
  }
}

/** A path named here must be found from the recipe; a name of a hub stays one. */
function pathOrName(model: string, target: string): string {
  if (!existsSync(model)) return model;
  const path = relative(target, resolve(model));
  return path.startsWith('.') ? path : `./${path}`;
}

function refuseExisting(target: string, files: readonly string[]): void {
  const found = files.find((file) => existsSync(join(target, file)));
  if (found === undefined) return;
  throw new UserError({
    what: `${found} is there already, and nothing is overwritten`,
    where: join(target, found),
    next: 'name another folder: anneal init <folder>',
    code: 'init_exists',
  });
}
