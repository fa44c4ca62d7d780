import { UserError } from '@anneal/core/errors';
import * as Y from 'yjs';
import { newDocumentId, readDocumentState, writeDocumentState } from './documentState.ts';
import { textOf } from './documentText.ts';
import { RecipeDocument, type RecipePlace } from './recipeDocument.ts';
import { readRecipeFile } from './recipeFile.ts';
import { RecipeHistory } from './recipeHistory.ts';

/** Yjs remembers what was deleted, too. A document that has grown so large begins anew when nobody is in it. */
const largeUpdate = 512 << 10;

/** The id of a recipe's document, which is made from its file where there is none. Nobody may be in it. */
export async function identify(place: RecipePlace): Promise<string> {
  const state = readDocumentState(place.folder);
  if (state && state.update.length <= largeUpdate) return state.id;
  if (state) {
    const document = await RecipeDocument.load(place, new Y.Doc(), () => undefined);
    await document.close();
  }
  const file = await readRecipeFile(place.path);
  if (!file) throw missing(place.path);
  const seed = new Y.Doc();
  textOf(seed).insert(0, file.text);
  const id = newDocumentId();
  writeDocumentState(place.folder, { id, update: Y.encodeStateAsUpdate(seed), written: file.sha256, before: null });
  new RecipeHistory(place.folder).add(file.text, 'opened');
  return id;
}

function missing(path: string): UserError {
  return new UserError({
    what: 'the recipe does not exist any more',
    where: path,
    next: 'choose another one, or put the file back',
    code: 'recipe_missing',
  });
}
