import { UserError } from '../errors.ts';
import { parseRecipe } from './read.ts';
import { type ResolvedRecipe, resolveRecipe } from './resolve.ts';

/** What a run may change when it goes on: how long it is, and how often it records, measures and saves. No step depends on these. */
const changeableKeys = [
  'max_steps',
  'num_epochs',
  'logging_steps',
  'eval_steps',
  'evals_per_epoch',
  'save_steps',
  'saves_per_epoch',
  'save_total_limit',
  'early_stopping_patience',
] as const satisfies readonly (keyof ResolvedRecipe)[];

export interface RecipeChange {
  readonly key: string;
  readonly from: string | number | boolean | null;
  readonly to: string | number | boolean | null;
}

export interface ChangedRecipe {
  readonly resolved: ResolvedRecipe;
  /** The new text of recipe.resolved.yaml. */
  readonly resolvedText: string;
  /** Empty where the overrides say what is so already. */
  readonly changes: readonly RecipeChange[];
}

/**
 * The resolved recipe of a run with `key=value` applied. One that has not begun can change its device, too.
 * @throws InvalidRecipe; UserError `resume_cannot_change` for keys that a run keeps for its whole life
 */
export function changeRecipe(
  resolvedText: string,
  file: string,
  overrides: readonly string[],
  baseDirectory: string,
  { hasBegun = true }: { hasBegun?: boolean } = {},
): ChangedRecipe {
  const before = resolveRecipe(parseRecipe(resolvedText, file).recipe, { baseDirectory });
  const { recipe, text, locate } = parseRecipe(resolvedText, file, overrides);
  const resolved = resolveRecipe(recipe, { baseDirectory, locate });
  const changed = differingKeys(before, resolved);
  refuseOthers(
    changed.filter((key) => hasBegun || key !== 'device'),
    file,
  );
  const changes = changed.map((key) => ({
    key,
    from: before[key] as RecipeChange['from'],
    to: resolved[key] as RecipeChange['to'],
  }));
  return { resolved, resolvedText: changes.length === 0 ? resolvedText : withoutMarks(text, changed), changes };
}

/** What was changed is no default any more. Keys that can be are scalars, a line each. */
function withoutMarks(text: string, keys: readonly string[]): string {
  return keys.reduce((lines, key) => lines.replace(new RegExp(`^(${key}: .*) # default$`, 'm'), '$1'), text);
}

export function differingKeys(a: ResolvedRecipe, b: ResolvedRecipe): (keyof ResolvedRecipe)[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)] as (keyof ResolvedRecipe)[]);
  return [...keys].filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}

export function isChangeable(key: string): boolean {
  return (changeableKeys as readonly string[]).includes(key);
}

function refuseOthers(changed: readonly string[], file: string): void {
  const others = changed.filter((key) => !isChangeable(key));
  if (others.length === 0) return;
  throw new UserError({
    what: `a run keeps ${others.join(', ')} for its whole life: with another value it would be another training`,
    where: file,
    next: `a resume can change ${changeableKeys.join(', ')}; for the rest start a new run (with lora_model_dir it can begin from this one)`,
    code: 'resume_cannot_change',
  });
}
