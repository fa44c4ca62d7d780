import * as z from 'zod';

/** What hover help, the JSON Schema and the reference say about a key beyond its type. */
export interface KeyMeta {
  description: string;
  /** The value that an absent key takes; absent where the default depends on other keys. */
  defaultValue?: unknown;
  /** Says how the default is found where it depends on other keys. */
  defaultNote?: string;
  /** The values in words, where the schema alone would not tell them. */
  values?: string;
}

/** A key that must be written. */
export function required<S extends z.ZodType>(schema: S, description: string) {
  return schema.meta({ description });
}

/** An optional key: absent and null both mean `standard`. */
export function optional<S extends z.ZodType, D extends z.output<S> | null>(
  schema: S,
  standard: D,
  description: string,
) {
  return schema
    .nullish()
    .transform((value): z.output<S> | Extract<D, null> => (value ?? standard) as z.output<S> | Extract<D, null>)
    .meta({ description, defaultValue: standard } satisfies KeyMeta);
}

/** An optional key whose default follows from other keys: null after parsing until `resolveRecipe` decides. */
export function derived<S extends z.ZodType>(schema: S, defaultNote: string, description: string) {
  return schema
    .nullish()
    .transform((value): z.output<S> | null => value ?? null)
    .meta({ description, defaultNote } satisfies KeyMeta);
}
