/** The text of a recipe that makes rows, as it is read and written by the studio: files of the workspace, and of this kind alone. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { SaveSynthesisRequest } from '@anneal/core/protocol/synthesis';
import { synthesisRecipe } from '@anneal/core/recipe/kinds';
import { kindOfText } from '@anneal/core/recipe/read';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import type { Workspace } from '../workspace.ts';

/** @throws UserError `recipe_not_found` */
export function synthesisText(workspace: Workspace, recipe: string): string {
  const path = pathOf(workspace, recipe);
  if (path !== undefined) return readFileSync(path, 'utf8');
  throw new UserError({
    what: 'there is no such recipe that makes rows',
    where: recipe,
    next: 'it may have been removed or renamed: look at the list of recipes',
    code: 'recipe_not_found',
  });
}

/** Writes it, a new one where there was none. @throws UserError `recipe_changed`, `not_of_synthesis`, `folder_outside`, `recipe_name` */
export function saveSynthesisText(workspace: Workspace, { recipe, text, before }: SaveSynthesisRequest): void {
  if (kindOfText(text, recipe) !== synthesisRecipe) {
    throw new UserError({
      what: 'this is no recipe that makes rows',
      where: recipe,
      next: 'write `endpoint`, `sources` and `output`, as docs/synthesize.md shows',
      code: 'not_of_synthesis',
    });
  }
  const path = synthesisPath(workspace, recipe);
  const there = existsSync(path) ? readFileSync(path, 'utf8') : null;
  if (there !== before) {
    throw new UserError({
      what: 'the file was changed, or made, by somebody else meanwhile',
      where: recipe,
      next: 'copy what you have written, open it again, and write it there',
      code: 'recipe_changed',
    });
  }
  makeFolder(dirname(path));
  replaceFile(path, text, { sync: true });
}

/** Where such a recipe lies, or would lie. @throws UserError `folder_outside`, `recipe_name` */
export function synthesisPath(workspace: Workspace, recipe: string): string {
  return pathOf(workspace, recipe) ?? newPath(workspace, recipe);
}

function pathOf(workspace: Workspace, recipe: string): string | undefined {
  return workspace.synthesisRecipes().find(({ key }) => key === recipe)?.path;
}

function newPath(workspace: Workspace, recipe: string): string {
  const [folder, name] = [posix.dirname(recipe), posix.basename(recipe)];
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}_. -]{0,100}\.ya?ml$/u.test(name)) {
    throw new UserError({
      what: 'a recipe cannot have this name',
      where: recipe,
      next: 'name a file that ends in .yaml, such as project/questions.yaml',
      code: 'recipe_name',
    });
  }
  return join(folder === '.' ? workspace.root : workspace.newFolder(folder), name);
}
