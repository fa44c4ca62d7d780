import type { RecipeKey } from './schema.ts';

/** Two ways to say one thing; a recipe has one of them. */
const exclusivePairs = [
  ['warmup_ratio', 'warmup_steps'],
  ['eval_steps', 'evals_per_epoch'],
  ['save_steps', 'saves_per_epoch'],
  ['max_steps', 'num_epochs'],
  ['val_set_size', 'test_datasets'],
] as const satisfies readonly (readonly [RecipeKey, RecipeKey])[];

/** The keys that a value for `key` leaves no place for. */
export function excludedBy(key: string): RecipeKey[] {
  return exclusivePairs.flatMap(([a, b]): RecipeKey[] => (a === key ? [b] : b === key ? [a] : []));
}
