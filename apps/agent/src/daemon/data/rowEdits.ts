/** Rows that are edited into new versions of their files, and the recipes that are to follow. */
import { dirname, relative, sep } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type {
  AddRowRequest,
  EditedRow,
  EditRowRequest,
  RecipeOfFile,
  RowRequest,
} from '@anneal/core/protocol/rowEdits';
import { replaceValue } from '@anneal/core/recipe/replaceValue';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import { runApart } from '../../runner/runApart.ts';
import { readRow } from '../../service/data/editRow.ts';
import { openRecipe, openRecipeText } from '../../service/recipes/open.ts';
import type { Agent } from '../router/trpc.ts';

type Rows = Pick<Agent, 'workspace' | 'jobs' | 'documents'>;

/** @param file its key, as in all of these */
export async function rowToEdit({ workspace }: Rows, { file, row }: RowRequest): Promise<EditedRow> {
  return { ...(await readRow({}, { file: workspace.dataFile(file), row })), file };
}

/** Begins a job that writes the version; returns its id. @throws UserError `file_not_found`, `job_running` */
export function startEdit({ workspace, jobs }: Rows, { file, ...edit }: EditRowRequest): string {
  const path = workspace.dataFile(file);
  const order = { kind: 'editRow', subject: file, target: dirname(path) } as const;
  const { id } = jobs.start(order, async function* (signal) {
    const version = yield* runApart('editRow', {}, { file: path, ...edit }, signal);
    return { file: workspace.keyOf(version.file) };
  });
  return id;
}

/** Begins a job that writes a version with a row more; returns its id. @throws UserError `file_not_found`, `job_running` */
export function startAdding({ workspace, jobs }: Rows, { file, ...added }: AddRowRequest): string {
  const path = workspace.dataFile(file);
  const order = { kind: 'editRow', subject: file, target: dirname(path) } as const;
  const { id } = jobs.start(order, async function* (signal) {
    const version = yield* runApart('addRow', {}, { file: path, ...added }, signal);
    return { file: workspace.keyOf(version.file) };
  });
  return id;
}

/** The recipes that name the file itself, not only its folder. */
export async function recipesOf({ workspace }: Rows, file: string): Promise<RecipeOfFile[]> {
  const path = workspace.dataFile(file);
  const found = await Promise.all(
    workspace.recipes().map(async (recipe) => {
      try {
        const { resolved } = await openRecipe(recipe.path);
        return { recipe: recipe.key, places: placesOf(resolved, path).map((place) => place.join('.')) };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { recipe: recipe.key, places: [] }; // the recipes screen says what is wrong with it
      }
    }),
  );
  return found.filter(({ places }) => places.length > 0);
}

/** Lets a recipe name the version wherever it names the file. @throws UserError `file_not_named`; InvalidRecipe */
export async function useVersion(
  { workspace, documents }: Rows,
  { recipe, file, version }: { recipe: string; file: string; version: string },
  by: string,
): Promise<void> {
  const [from, to] = [workspace.dataFile(file), workspace.dataFile(version)];
  await documents.use(recipe, async (document) => {
    const { resolved } = openRecipeText(document.text, document.path, []);
    const places = placesOf(resolved, from);
    if (places.length === 0) {
      throw new UserError({
        what: 'this recipe does not name the file that the version was made of',
        where: recipe,
        next: `write the version's path into it: ${version}`,
        code: 'file_not_named',
      });
    }
    const named = relative(dirname(document.path), to).split(sep).join('/');
    await document.replace(
      places.reduce((text, place) => replaceValue(text, [...place, 'path'], named), document.text),
      by,
    );
  });
}

/** The data sets whose path is the file's, as `datasets.0`. */
function placesOf({ datasets, test_datasets: measured }: ResolvedRecipe, path: string): [string, number][] {
  const placesIn = (name: string, all: readonly { path: string }[] | null) =>
    (all ?? []).flatMap((dataset, i) => (dataset.path === path ? [[name, i] as [string, number]] : []));
  return [...placesIn('datasets', datasets), ...placesIn('test_datasets', measured)];
}
