/** For tables of what keys of a recipe become. */
import type * as z from 'zod';
import { type ResolvedRecipe, resolveRecipe } from '../src/recipe/resolve.ts';
import type { Recipe } from '../src/recipe/schema.ts';

/** With every default decided; the files that it names need not be there. */
export function resolved(part: Partial<Recipe>, baseDirectory = '/'): ResolvedRecipe {
  const recipe = { base_model: 'someone/model', datasets: [{ path: 'rows.jsonl' }], ...part };
  return resolveRecipe(recipe, { baseDirectory, exists: () => true });
}

/** Keys of a section, and of its enums and switches each value, that no row of a table has. */
export function missing(keys: Readonly<Record<string, z.ZodType>>, rows: readonly object[]): string[] {
  const values = (key: string) => rows.flatMap((row) => (key in row ? [(row as Record<string, unknown>)[key]] : []));
  return Object.entries(keys).flatMap(([key, schema]) => {
    const choices: unknown[] = choicesOf(schema);
    const named = choices.filter((choice) => !values(key).includes(choice)).map((choice) => `${key}: ${choice}`);
    return values(key).length === 0 ? [key] : named;
  });
}

function choicesOf(schema: z.ZodType): unknown[] {
  const { def } = schema as unknown as { def: { type: string; innerType?: z.ZodType; entries?: object } };
  if (def.type === 'boolean') return [true, false];
  if (def.entries) return Object.values(def.entries);
  return def.innerType ? choicesOf(def.innerType) : [];
}
