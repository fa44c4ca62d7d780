import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import type { ParsedText } from '@anneal/core/recipe/edit';
import { createContext, useContext } from 'react';

export type Problem = RecipeCheck['problems'][number];
export type Path = readonly (string | number)[];

/** What every field of the form needs. */
export interface RecipeFormContext {
  parsed: ParsedText;
  problems: readonly Problem[];
  /** Every key with its value as it was when the recipe was last in order. */
  values: Readonly<Record<string, unknown>> | null;
  isReadOnly: boolean;
  /** A search for a key; all fields that it finds are shown. */
  search: string;
  /** These change the text, or return false where that cannot be done without a change of anything else. */
  write(path: Path, source: string, order: readonly string[]): boolean;
  remove(path: Path): boolean;
  append(path: Path, source: string): boolean;
  /** Another field begins: what is taken back by one undo ends here. */
  endStep(): void;
  /** Leads to where a value stands in the text. */
  show(path: Path): void;
}

const Context = createContext<RecipeFormContext | undefined>(undefined);
export const RecipeFormProvider = Context.Provider;

export function useRecipeForm(): RecipeFormContext {
  const form = useContext(Context);
  if (!form) throw new Error('a field needs a form');
  return form;
}

export function valueAt(values: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined,
    values,
  );
}

/** Whether something is wrong with an item of a list, or with all of the list. */
export function isWrongAt(path: Path, problems: readonly Problem[]): boolean {
  return problems.some((problem) => isBelow(problem.path, path) || isBelow(path, problem.path));
}

export const isBelow = (path: Path, above: Path): boolean => above.every((step, i) => String(path[i]) === String(step));
