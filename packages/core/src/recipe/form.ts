/** A recipe as a form: what each key takes, from the schema alone. */
import * as z from 'zod';
import type { FormControl, FormField, FormSection } from '../protocol/recipeForm.ts';
import { excludedBy } from './exclusive.ts';
import { boundsOf, defaultInWords, type JsonSchema } from './jsonSchema.ts';
import type { KeyMeta } from './key.ts';
import { sections } from './schema.ts';
import { datasetSchema } from './sections/datasets.ts';

export function recipeForm(): FormSection[] {
  return sections.map(({ title, keys }) => ({ title, fields: fieldsOf(keys) }));
}

function fieldsOf(keys: Readonly<Record<string, z.ZodType>>): FormField[] {
  return Object.entries(keys).map(([key, schema]) => {
    const meta = schema.meta() as KeyMeta;
    const described = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
    return {
      key,
      description: meta.description,
      ...(meta.defaultValue !== undefined && { standard: meta.defaultValue }),
      isRequired: defaultInWords(meta) === undefined,
      insteadOf: excludedBy(key),
      control: groupOf(schema) ?? controlOf(described, meansSomethingAsNull(schema)),
    };
  });
}

/** Of a key whose value is a mapping of keys that are explained like others. */
function groupOf(schema: z.ZodType): FormControl | undefined {
  let inner: unknown = schema;
  while (inner instanceof z.ZodPipe || inner instanceof z.ZodOptional || inner instanceof z.ZodNullable) {
    inner = inner instanceof z.ZodPipe ? inner.in : inner.unwrap();
  }
  if (!(inner instanceof z.ZodObject)) return undefined;
  const shape: Readonly<Record<string, z.ZodType>> = inner.shape;
  const isExplained = Object.values(shape).every((value) => value.meta()?.description !== undefined);
  return isExplained ? { kind: 'group', fields: fieldsOf(shape) } : undefined;
}

/** What a key is changed with. What fits no control is changed in the text. */
function controlOf(schema: JsonSchema, withNull: boolean): FormControl {
  const branches = branchesOf(schema);
  const options = branches.flatMap(choicesOf);
  if (options.length > 0) return { kind: 'choice', options: withNull ? [...options, null] : options };
  const list = branches.find((branch) => typeOf(branch) === 'array')?.items as JsonSchema | undefined;
  if (list) {
    const items = branchesOf(list).map(typeOf);
    if (typeOf(list) === 'object') return { kind: 'datasets', fields: fieldsOf(datasetSchema.shape) };
    if (items.includes('string') && items.includes('array')) return { kind: 'prompts' };
    if (items.includes('string')) return { kind: items.length === 1 ? 'names' : 'texts' };
    if (items.every((item) => item === 'number' || item === 'integer')) return { kind: 'numbers' };
  }
  const [only, second] = branches;
  const type = only && !second ? typeOf(only) : undefined;
  if (only && (type === 'number' || type === 'integer')) {
    return { kind: 'number', isWhole: type === 'integer', bounds: boundsOf(only) };
  }
  return { kind: type === 'string' ? 'text' : 'other' };
}

/** The ways to read a value, but for null. */
function branchesOf(schema: JsonSchema): JsonSchema[] {
  const branches = (schema.anyOf as JsonSchema[] | undefined)?.flatMap(branchesOf) ?? [schema];
  return branches.filter(({ type }) => type !== 'null');
}

function choicesOf(schema: JsonSchema): (string | number | boolean)[] {
  if (schema.enum) return schema.enum as string[];
  if (schema.const !== undefined) return [schema.const as string | number | boolean];
  return typeOf(schema) === 'boolean' ? [true, false] : [];
}

/** Zod writes a nullable simple type as ['boolean', 'null']. */
function typeOf({ type }: JsonSchema): string | undefined {
  return Array.isArray(type) ? type.find((each) => each !== 'null') : type;
}

/** Elsewhere null is another way to leave a key out. */
function meansSomethingAsNull(schema: z.ZodType): boolean {
  const absent = schema.safeParse(undefined);
  return absent.success && absent.data !== null && schema.safeParse(null).data === null;
}
