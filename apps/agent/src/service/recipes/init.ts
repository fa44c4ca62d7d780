/** The beginning of a project: a recipe, and the starter's model and rows where none were named. */
import { existsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { isDataFile } from '@anneal/core/datasets/dataFiles';
import { UserError } from '@anneal/core/errors';
import { isDatasetId } from '@anneal/core/hub/datasets/cache';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { openModel } from '@anneal/core/models/open';
import { presetModels, presetRows } from '@anneal/core/protocol/presets';
import {
  type ImportedProject,
  type ImportRecipeRequest,
  type InitRequest,
  importRecipeRequest,
  initRequest,
  type Project,
} from '@anneal/core/protocol/recipes';
import { importRecipe, importRecipeFile } from '@anneal/core/recipe/import/index';
import { starterRecipe } from '@anneal/core/recipe/starter';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { starterFolder } from '../starterFolder.ts';

/** Paths go on from the base folder. @throws UserError `init_exists` before anything is written; `file_not_found`, `model_not_found`, `init_needs_rows` */
export async function beginProject({ baseFolder = '.' }: Context, request: InitRequest): Promise<Project> {
  const { folder, model, data, preset } = parseRequest(initRequest, request);
  const target = resolve(baseFolder, folder);
  if (model === undefined && data === undefined && preset === undefined) return copyStarter(target);
  const rows = presetRows[preset ?? 'lora'];
  if (rows !== 'conversations' && data === undefined) throw needsRows(rows);

  const baseModel = model ?? presetModels[preset ?? 'lora'];
  const files = ['recipe.yaml'];
  refuseMissing(baseModel, data, baseFolder);
  refuseExisting(target, files);
  makeFolder(target);
  let dataset =
    data === undefined || isPublished(data, baseFolder) ? data : relative(target, resolve(baseFolder, data));
  if (dataset === undefined) {
    dataset = join('data', 'harbour.jsonl');
    refuseExisting(target, [dataset]);
    await bring([dataset], target);
    files.push(dataset);
  }
  const text = starterRecipe({
    baseModel: pathOrName(baseModel, target, baseFolder),
    dataset,
    ...(preset && { preset }),
  });
  replaceFile(join(target, 'recipe.yaml'), text, { sync: true });
  return { folder: target, files };
}

/** Writes our recipe for that of another trainer, with an account of every key. @throws UserError `init_exists`; InvalidRecipe */
export async function importProject(_: Context, request: ImportRecipeRequest): Promise<ImportedProject> {
  const { folder, from, text: given } = parseRequest(importRecipeRequest, request);
  const target = resolve(folder);
  refuseExisting(target, ['recipe.yaml']);
  const { text, kind, translated, untranslated, implied, problems } =
    given === undefined
      ? await importRecipeFile(from, target)
      : importRecipe(given, from, undefined, { places: [target], target });
  makeFolder(target);
  replaceFile(join(target, 'recipe.yaml'), text, { sync: true });
  return { folder: target, files: ['recipe.yaml'], kind, translated, untranslated, implied, problems };
}

/** A model small enough to come along, rows made for it, and a recipe: trains in a minute, without any download. */
async function copyStarter(target: string): Promise<Project> {
  const files = ['recipe.yaml', 'data', 'model'];
  refuseExisting(target, files);
  makeFolder(target);
  await bring(files, target);
  return { folder: target, files };
}

/** Copies files of the starter, all or none: what is there keeps the next `init` from beginning. */
async function bring(files: readonly string[], target: string): Promise<void> {
  try {
    for (const file of files) await cp(join(starterFolder, file), join(target, file), { recursive: true });
  } catch (error) {
    for (const file of files) await rm(join(target, file), { recursive: true, force: true });
    throw error;
  }
}

const rowsOf = {
  texts: 'a .txt file, or rows with a column `text`',
  pairs: 'rows with `prompt`, `chosen` and `rejected`',
  judged: 'rows with a conversation and `label`',
  tasks: 'rows with `prompt`, and what the reward functions read',
};

function needsRows(kind: keyof typeof rowsOf): UserError {
  return new UserError({
    what: `this needs ${kind} of yours: the rows of the starter project are conversations`,
    next: `name ${rowsOf[kind]}`,
    code: 'init_needs_rows',
  });
}

/** Said before there is a recipe that can only fail. */
function refuseMissing(model: string, data: string | undefined, baseFolder: string): void {
  if (data !== undefined && !existsSync(resolve(baseFolder, data)) && !isPublished(data, baseFolder)) {
    throw new UserError({
      what: 'there is no such data file or folder',
      where: resolve(baseFolder, data),
      next: 'correct the path after --data',
      code: 'file_not_found',
    });
  }
  try {
    openModel(resolveModelPath(model, { baseDirectory: baseFolder })).close();
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'model_not_pulled') throw error;
  }
}

/** The name of a data set of a hub: nothing of that name lies in the folder. */
export function isPublished(data: string, folder: string): boolean {
  return !existsSync(resolve(folder, data)) && isDatasetId(data) && !isDataFile(data);
}

/** A path named here must be found from the recipe; a name of a hub stays one. */
function pathOrName(model: string, target: string, baseFolder: string): string {
  if (!existsSync(resolve(baseFolder, model))) return model;
  const path = relative(target, resolve(baseFolder, model));
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
