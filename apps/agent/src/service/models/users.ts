import { basename, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import { parse } from 'yaml';

/** Which runs began with which model: ids by the path that it is opened by. A run that cannot be read, or whose model is gone, has none. */
export function usersOf(runs: readonly string[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const run of runs) {
    const path = modelOf(run);
    if (path !== undefined) users.set(path, [...(users.get(path) ?? []), basename(run)]);
  }
  return users;
}

function modelOf(run: string): string | undefined {
  try {
    const recipe: unknown = parse(readRunFile(join(run, 'recipe.resolved.yaml')));
    const { base_model: name, revision } = recipe as { base_model?: unknown; revision?: unknown };
    if (typeof name !== 'string') return undefined;
    return resolveModelPath(name, typeof revision === 'string' ? { revision } : {});
  } catch (error) {
    if (error instanceof UserError || (error as Error).name === 'YAMLParseError') return undefined;
    throw error;
  }
}
