/** The kinds of recipes, told apart by keys that only one of them has. */
import type * as z from 'zod';
import type { Finding } from './problem.ts';
import { recipeSchema } from './schema.ts';
import { synthesisSchema } from './synthesis/schema.ts';

/** A kind of recipe: what it may hold, and where that is explained. */
export interface RecipeKind {
  readonly schema: z.ZodObject;
  /** What a recipe of this kind is called. */
  readonly name: string;
  /** Keys by which it is recognized. */
  readonly marks: readonly string[];
  /** What takes and what checks it. */
  readonly takenBy: string;
  readonly checkedBy: string;
  /** Keys and values of other trainers are told from misspellings of ours. */
  readonly knowsOtherTrainers: boolean;
  readonly reference: string;
  /** What lists all its keys. */
  readonly listing: string;
}

export const trainingRecipe: RecipeKind = {
  schema: recipeSchema,
  name: 'a recipe of training',
  marks: ['base_model', 'datasets'],
  takenBy: '`anneal train`',
  checkedBy: '`anneal validate`',
  knowsOtherTrainers: true,
  reference: 'docs/recipe.md',
  listing: '`anneal schema`',
};

export const synthesisRecipe: RecipeKind = {
  schema: synthesisSchema,
  name: 'a recipe of `anneal synthesize`',
  marks: ['endpoint', 'sources'],
  takenBy: '`anneal synthesize`',
  checkedBy: '`anneal validate`',
  knowsOtherTrainers: false,
  reference: 'docs/synthesis-recipe.md',
  listing: 'docs/synthesis-recipe.md',
};

const kinds = [trainingRecipe, synthesisRecipe];

/** Undefined for what has no mark of any kind, or marks of several. */
export function kindOf(plain: Readonly<Record<string, unknown>>): RecipeKind | undefined {
  const found = kinds.filter(({ marks }) => marks.some((key) => key in plain));
  return found.length === 1 ? found[0] : undefined;
}

/** What is wrong with a whole recipe that was meant for another command. */
export function otherKindFinding(plain: Readonly<Record<string, unknown>>, kind: RecipeKind): Finding | undefined {
  const other = kindOf(plain);
  if (other === undefined || other === kind) return undefined;
  return {
    path: other.marks.filter((key) => key in plain).slice(0, 1),
    part: 'key',
    code: 'recipe_of_another_kind',
    what: `this is ${other.name}, not ${kind.name}`,
    next: `give it to ${other.takenBy}; ${other.checkedBy} checks it without starting anything`,
  };
}
