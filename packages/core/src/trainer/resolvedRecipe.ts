/** `recipe.resolved.yaml` of a run: which recipe it follows, of which the events keep the hash. */
import { createHash } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile, syncFolder } from '@anneal/formats/files/atomicWrite';
import { removeLeftovers } from '@anneal/formats/files/processOwner';
import { UserError } from '../errors.ts';
import { kindOf, readRunFile } from './runFiles.ts';

const resolvedRecipe = 'recipe.resolved.yaml';
const nextRecipe = 'recipe.resolved.next.yaml';

export function readResolvedRecipe(run: string): string {
  return readRunFile(join(run, resolvedRecipe));
}

/** @param record writes the event with the hash: a kill before it leaves the recipe as it was, one after it is made good by `finishRecipeChange` */
export function changeResolvedRecipe(run: string, text: string, record: (sha256: string) => void): void {
  const next = join(run, nextRecipe);
  replaceFile(next, text, { sync: true });
  record(recipeSha256(text));
  renameSync(next, join(run, resolvedRecipe));
  syncFolder(run);
}

/** Ends a change that a kill interrupted, and refuses a recipe that no event speaks of: the run would not be the one it says it is. */
export function finishRecipeChange(run: string, recorded: string | undefined): void {
  const [next, current] = [join(run, nextRecipe), join(run, resolvedRecipe)];
  if (kindOf(next) === 'file') {
    if (recipeSha256(readRunFile(next)) === recorded) renameSync(next, current);
    else rmSync(next);
    syncFolder(run);
  }
  removeLeftovers(next);
  if (recorded === undefined || recipeSha256(readRunFile(current)) === recorded) return;
  throw new UserError({
    what: 'the recipe of this run was edited since its last launch',
    where: current,
    next: 'undo the edit; `anneal runs resume --set key=value` changes the length of a run, and how often it saves and measures',
    code: 'run_recipe_changed',
  });
}

export function recipeSha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
