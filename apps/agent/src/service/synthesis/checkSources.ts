/** What a recipe of `anneal synthesize` names, looked at before anything is read. */
import { UserError } from '@anneal/core/errors';
import type { KeyPath, Location, RecipeProblem } from '@anneal/core/recipe/problem';
import { statusOf } from '@anneal/core/synthesis/documents';
import type { SynthesisOptions } from '@anneal/core/synthesis/options';

/** The sources that are not there or cannot be read. */
export function problemsOfSources({ sources }: SynthesisOptions, locate: (path: KeyPath) => Location): RecipeProblem[] {
  return sources.flatMap((source, i) => {
    const path = ['sources', i, 'path'];
    try {
      statusOf(source.path);
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { what, where, next = '', code } = error;
      return [{ path, code, what: `${what} (${where})`, next, ...locate(path) }];
    }
  });
}
