import * as z from 'zod';
import type { KeyMeta } from './key.ts';
import { recipeSchema } from './schema.ts';
import { synthesisSchema } from './synthesis/schema.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The recipe as JSON Schema draft 7, for editors: completion, underlined mistakes, hover texts with range and default. */
export function recipeJsonSchema(): JsonSchema {
  return jsonSchemaOf(recipeSchema, 'Anneal recipe');
}

/** The same of a recipe of `anneal synthesize`. */
export function synthesisJsonSchema(): JsonSchema {
  return jsonSchemaOf(synthesisSchema, 'Anneal recipe that makes rows');
}

function jsonSchemaOf(recipe: z.ZodObject, title: string): JsonSchema {
  const schema = z.toJSONSchema(recipe, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => explain(jsonSchema as JsonSchema & Partial<KeyMeta>),
  });
  return { ...schema, title };
}

function explain(schema: JsonSchema & Partial<KeyMeta>): void {
  const { description, defaultValue } = schema;
  if (description === undefined) return;
  const facts = [`Value: ${schema.values ?? valuesOf(schema)}.`];
  const standard = defaultInWords(schema);
  if (standard !== undefined) facts.push(`Default: ${standard}.`);
  schema.description = [description, ...facts].join('\n\n');
  if (defaultValue !== undefined) schema.default = defaultValue as JsonSchema['default'];
  delete schema.defaultValue;
  delete schema.defaultNote;
  delete schema.values;
}

/** Undefined for a key that must be written. */
export function defaultInWords({ defaultValue, defaultNote }: Partial<KeyMeta>): string | undefined {
  if (defaultNote !== undefined || defaultValue === undefined) return defaultNote;
  // One line of YAML: no default holds a text that would need quotes.
  return `\`${JSON.stringify(defaultValue).replaceAll('"', '').replaceAll(',', ', ')}\``;
}

/** The values a key takes, such as `a whole number ≥ 1 and ≤ 1024`. Null, which unsets any key, is not listed. */
export function valuesOf(schema: JsonSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  const ways = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
  if (ways) return [...new Set(ways.filter((way) => way.type !== 'null').map(valuesOf))].join(' or ');
  // Zod writes a nullable simple type as ['boolean', 'null'].
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type;
  switch (type) {
    case 'string':
      return 'a text';
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
      return `a whole number${bounds(schema)}`;
    case 'number':
      return `a number${bounds(schema)}`;
    case 'array':
      return `a list, each ${valuesOf(schema.items as JsonSchema)}`;
    case 'object':
      return 'a mapping';
    default:
      throw new Error(`no words for the type ${String(type)}`);
  }
}

/** Bounds that only keep absurd numbers out are left unsaid. */
const largestToldBound = 100_000;

/** Such as `≥ 1` and `≤ 1024`. */
export function boundsOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string[] {
  const told: string[] = [];
  if (minimum !== undefined) told.push(`≥ ${minimum}`);
  if (exclusiveMinimum !== undefined) told.push(`> ${exclusiveMinimum}`);
  if (exclusiveMaximum !== undefined) told.push(`< ${exclusiveMaximum}`);
  if (maximum !== undefined && maximum <= largestToldBound) told.push(`≤ ${maximum}`);
  return told;
}

function bounds(schema: JsonSchema): string {
  const told = boundsOf(schema);
  return told.length === 0 ? '' : ` ${told.join(' and ')}`;
}
