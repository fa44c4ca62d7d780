import { dotted, type Finding, type KeyPath } from './problem.ts';
import { type Recipe, type RecipeKey, recipeSchema } from './schema.ts';

/** Logits are multiplied by its reciprocal, of which float32 then makes infinity. */
const leastTemperature = 1e-30;

/**
 * Numbers that float32, in which the engine computes, turns into 0 or 1 and so into something else: no step at all, a division by 0.
 * Nobody means one that small, so those that the engine does not compute with are told, too; what stands in lists is no coefficient.
 */
export function roundingFindings(recipe: Partial<Recipe>): Finding[] {
  return numbersIn(recipe, []).flatMap(([path, value]): Finding[] => {
    const rounded = Math.fround(value);
    const found = { path, part: 'value', code: 'out_of_range' } as const;
    const what = `\`${dotted(path)}\` is ${value}`;
    if (dotted(path) === 'trl.temperature' && value < leastTemperature)
      return [{ ...found, what: `${what}, by which float32 cannot divide`, next: 'write a number of at least 1e-30' }];
    if (rounded === value || !(rounded === 0 || (rounded === 1 && isBelow1(path)))) return [];
    const next = rounded === 0 ? 'write a number of at least 1e-45' : 'write a number of at most 0.9999999';
    return [{ ...found, what: `${what}, which is ${rounded} in float32`, next }];
  });
}

function numbersIn(value: unknown, path: KeyPath): [path: KeyPath, value: number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => numbersIn(child, [...path, key]));
}

/** 1 is out of range: a mean that forgets nothing, a layer of which nothing is left. */
function isBelow1([key, ...deeper]: KeyPath): boolean {
  return deeper.length === 0 && !recipeSchema.shape[key as RecipeKey].safeParse(1).success;
}
