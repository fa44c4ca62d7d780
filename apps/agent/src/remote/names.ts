/** Runs, recipes and data of another agent by the names that people type, looked up among what it lists. */
import { UserError } from '@anneal/core/errors';
import type { ListedRun } from '@anneal/core/protocol/studio';
import type { Connection } from './connection.ts';

/** Oldest first. */
export async function runsThere({ first }: Connection): Promise<ListedRun[]> {
  return (await first<{ runs: ListedRun[] }>((api, listener) => api.runs.list.subscribe(undefined, listener))).runs;
}

/** By its key, its id, the beginning or end of that, or `latest`. @throws UserError `run_not_found`, `run_ambiguous` */
export async function runThere(connection: Connection, name: string): Promise<ListedRun> {
  const runs = await runsThere(connection);
  const exact = runs.filter(({ key, id }) => key === name || id === name);
  const alike = runs.filter(({ id }) => id.startsWith(name) || id.endsWith(name));
  const found = name === 'latest' ? runs.slice(-1) : exact.length > 0 ? exact : alike;
  const [only] = found;
  if (only && found.length === 1) return only;
  throw new UserError({
    what: only ? `${found.length} runs of the agent match "${name}"` : `the agent has no run "${name}"`,
    where: connection.address.url.origin,
    next: only ? `name it by its path: ${found.map(({ key }) => key).join(', ')}` : 'list them with `anneal runs ls`',
    code: only ? 'run_ambiguous' : 'run_not_found',
  });
}

/** The key of a recipe. @throws UserError `recipe_not_found` */
export async function recipeThere(connection: Connection, name: string): Promise<string> {
  const known = await connection.ask((api) => api.recipes.list.query());
  return recipeAmong(connection, name, known);
}

/** The key of one of `anneal synthesize`. @throws UserError `recipe_not_found` */
export async function synthesisThere(connection: Connection, name: string): Promise<string> {
  const known = await connection.ask((api) => api.synthesis.list.query());
  return recipeAmong(connection, name, known);
}

/** The key of one of either kind. @throws UserError `recipe_not_found` */
export async function anyRecipeThere(connection: Connection, name: string): Promise<string> {
  const known = await connection.ask((api) => Promise.all([api.recipes.list.query(), api.synthesis.list.query()]));
  return recipeAmong(connection, name, known.flat());
}

function recipeAmong({ address }: Connection, name: string, listed: readonly { key: string }[]): string {
  const known = listed.map(({ key }) => key);
  const key = name.replace(/^\.\//, '');
  const found =
    known.find((one) => one === key) ?? known.find((one) => one === `${key.replace(/\/$/, '')}/recipe.yaml`);
  if (found !== undefined) return found;
  throw new UserError({
    what: 'the agent has no such recipe; a file of this machine is none that it could read',
    where: `${name} at ${address.url.origin}`,
    next:
      known.length > 0
        ? `name one of its own: ${known.slice(0, 10).join(', ')}`
        : 'put one into the folder that it serves, or import one in its studio',
    code: 'recipe_not_found',
  });
}
