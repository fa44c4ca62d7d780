import * as z from 'zod';
import { closest } from '../closest.ts';
import { foreignKey, isForeignValue, type KnownMapping, ourWordsFor } from './foreignKeys.ts';
import { type Input, isMapping } from './import/translate.ts';
import { type RecipeKind, trainingRecipe } from './kinds.ts';
import { dotted, type Finding, type KeyPath } from './problem.ts';
import { trlSchema } from './sections/rollouts.ts';
import { ourName } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** Every way in which a value from a YAML file fails to be a recipe of this kind, in the reader's words. */
export function shapeFindings(value: unknown, kind: RecipeKind = trainingRecipe): Finding[] {
  const result = kind.schema.safeParse(value);
  return result.success ? [] : result.error.issues.flatMap((issue) => findings(issue, [], value, kind));
}

function findings(issue: Issue, base: KeyPath, root: unknown, kind: RecipeKind): Finding[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const name = `\`${dotted(path)}\``;
  const value = valueAt(root, path);
  const found = (code: string, what: string, next: string, fix?: string): Finding[] => [
    { path, part: 'value', code, what, next, ...(fix !== undefined && { fix }) },
  ];

  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, root, kind));
  if (issue.code === 'invalid_union') {
    const inner = deepestBranch(issue.errors);
    if (inner) return inner.flatMap((each) => findings(each, path, root, kind));
    const choices = issue.errors.length === 0 ? choicesAt(path, kind) : [];
    if (choices.length > 0 && value !== undefined) return notAChoice(path, value, choices, kind);
  }
  if (value === undefined || (value === null && issue.code === 'invalid_type')) {
    return found('missing_key', `${name} is missing`, `add it: ${purpose(path, root, kind)}`);
  }
  switch (issue.code) {
    case 'too_small':
    case 'too_big':
      if (issue.code === 'too_small' && issue.origin !== 'number') {
        return found('empty_value', `${name} is empty`, `write a value: ${purpose(path, root, kind)}`);
      }
      return found('out_of_range', `${name} is ${shown(value)}, out of range`, `write ${expectation(issue)}`);
    case 'invalid_value':
      return notAChoice(path, value, issue.values.map(String), kind);
    default: {
      const wanted = expectation(issue);
      const { next, fix } = yamlAdvice(value, wanted) ?? { next: `write ${wanted}` };
      return found('wrong_type', `${name} is ${shown(value)}, not ${wanted}`, next, fix);
    }
  }
}

function notAChoice(path: KeyPath, value: unknown, choices: readonly string[], kind: RecipeKind): Finding[] {
  const [name, key] = [`\`${dotted(path)}\``, String(path.at(-1))];
  const found = (code: string, what: string, next: string, fix?: string): Finding[] => [
    { path, part: 'value', code, what, next, ...(fix !== undefined && { fix }) },
  ];
  const choose = choices.length === 1 ? `write ${choices[0]}` : `choose one of ${choices.join(', ')}`;
  if (kind.knowsOtherTrainers && isForeignValue(key, value)) {
    return found('not_supported', `${name}: ${String(value)} is not here yet`, `${choose}, which trains otherwise`);
  }
  const ours = kind.knowsOtherTrainers ? ourWordsFor(key, value) : undefined;
  if (ours !== undefined) return found('unknown_choice', `${name} is ${shown(value)}`, `write ${ours}`);
  const near = typeof value === 'string' ? closest(value, choices) : undefined;
  const next = near ? `did you mean \`${near}\`? ${choose}` : choose;
  return found('unknown_choice', `${name} is ${shown(value)}`, next, near);
}

function unknownKey(path: KeyPath, key: string, root: unknown, kind: RecipeKind): Finding {
  const at = [...path, key];
  const found = (code: string, what: string, next: string): Finding => ({ path: at, part: 'key', code, what, next });
  const known = knownKeys(path, root, kind);
  const siblings = valueAt(root, path);
  const unknown = (next: string, meant?: string): Finding => ({
    ...found('unknown_key', `unknown key \`${dotted(at)}\``, next),
    removable: [at],
    // A key that is written already is not written twice.
    ...(meant !== undefined && !(isMapping(siblings) && Object.hasOwn(siblings, meant)) && { fix: meant }),
  });
  const ours = kind.knowsOtherTrainers && !isOfRollouts(key, root) ? ourName(key) : undefined;
  if (ours !== undefined) return unknown(`did you mean ${ours}?`, /^`(\w+)`$/.exec(ours)?.[1]);
  if (kind.knowsOtherTrainers && isMapping(siblings) && path[0] !== 'sample_prompts') {
    const mapping = mappingOf(path);
    const input = mapping === 'datasets' ? siblings : { ...argumentsIn(root), ...siblings };
    const foreign = path.length > 2 ? undefined : foreignKey(key, dotted(at), input, mapping);
    if (foreign) return found(foreign.code, foreign.what, foreign.next);
  }
  const near = closest(key, known);
  if (near !== undefined) return unknown(`did you mean \`${near}\`?`, near);
  return unknown(
    path.length === 0
      ? `remove it if it is not needed; ${kind.listing} lists every key`
      : `remove it if it is not needed; known here: ${known.join(', ')}`,
  );
}

const mappingOf = ([first]: KeyPath): KnownMapping =>
  first === undefined ? 'recipe' : first === 'trl' ? 'trl' : 'datasets';

/** TRL has in one table what stands at the top of a recipe and below `trl` here: a key may depend on one of the other place. */
const argumentsIn = (root: unknown): Input =>
  isMapping(root) ? { ...root, ...(isMapping(root['trl']) && root['trl']) } : {};

/** A key that other trainers have at the top of all they train, and that belongs to `trl` in this recipe: `beta`. */
function isOfRollouts(key: string, root: unknown): boolean {
  return isMapping(root) && root['rl'] === 'grpo' && Object.hasOwn(trlSchema.shape, key);
}

/** Of the ways to read a value, the one whose complaints lie inside it: there the kind was right and a part was wrong. */
function deepestBranch(branches: Issue[][]): Issue[] | undefined {
  return branches.find((issues) => issues.some((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'));
}

/** What a value should have been: `a whole number`, `a number from 0 to 1`. */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeNames[issue.expected] ?? issue.expected;
    case 'too_small':
      return issue.inclusive ? `a number from ${issue.minimum} on` : `a number above ${issue.minimum}`;
    case 'too_big':
      return issue.inclusive ? `a number up to ${issue.maximum}` : `a number below ${issue.maximum}`;
    case 'invalid_value':
      return issue.values.map((value) => `\`${String(value)}\``).join(', ');
    case 'invalid_union':
      return [...new Set(issue.errors.flatMap((branch) => branch.map(expectation)))].join(' or ');
    default:
      return issue.message;
  }
}

const typeNames: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys',
  record: 'a mapping of keys',
};

/** YAML 1.2 reads a few spellings otherwise than people, and YAML 1.1, do. */
function yamlAdvice(value: unknown, wanted: string): { next: string; fix?: string } | undefined {
  if (typeof value === 'string' && wanted.includes('true or false')) {
    const why = 'in YAML 1.2 only true and false are booleans';
    if (/^(yes|on|y)$/i.test(value)) return { next: `write true: ${why}`, fix: 'true' };
    if (/^(no|off|n)$/i.test(value)) return { next: `write false: ${why}`, fix: 'false' };
    const fix = value.toLowerCase();
    if (/^(true|false)$/.test(fix)) return { next: `write ${fix} without quotes`, fix };
  }
  if (typeof value === 'string' && wanted.includes('number')) {
    const fix = value.trim().replaceAll('_', '').replaceAll(',', '');
    if (fix !== '' && Number.isFinite(Number(fix))) {
      return { next: `write ${fix}, without quotes, spaces and separators`, fix };
    }
  }
  if (wanted === 'a text' && ['number', 'boolean'].includes(typeof value)) return { next: 'put it in quotes' };
  if (wanted === 'a list' && typeof value !== 'object') return { next: `write it as a list: [${String(value)}]` };
  return undefined;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `the text "${value.length > 60 ? `${value.slice(0, 60)}…` : value}"`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'a mapping of keys' : String(value);
}

function valueAt(root: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    root,
  );
}

/** All that a value at this place of a recipe may be, unwrapped; none where anything may be. */
function schemasAt(path: KeyPath, { schema }: RecipeKind): z.ZodType[] {
  let here: z.ZodType[] = [schema];
  for (const step of path) {
    here = here.flatMap((each) => {
      if (each instanceof z.ZodArray)
        return typeof step === 'number' ? alternatives(each.def.element as z.ZodType) : [];
      const inner = each instanceof z.ZodObject ? (each.shape[step] as z.ZodType | undefined) : undefined;
      return inner ? alternatives(inner) : [];
    });
  }
  return here;
}

function alternatives(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodPipe) return alternatives(schema.def.in as z.ZodType);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return alternatives(schema.def.innerType as z.ZodType);
  }
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap((option) => alternatives(option as z.ZodType));
  return [schema];
}

/** The keys of the mapping at this place; of several kinds of mapping those of the kind that it says it is. */
function shapeAt(path: KeyPath, root: unknown, kind: RecipeKind): Readonly<Record<string, z.ZodType>> {
  const shapes = schemasAt(path, kind).flatMap((each) => (each instanceof z.ZodObject ? [each.shape] : []));
  const value = valueAt(root, path);
  const said = shapes.find((shape) =>
    Object.entries(shape).some(
      ([key, each]) => each instanceof z.ZodLiteral && isMapping(value) && each.values.has(value[key] as string),
    ),
  );
  return said ?? shapes[0] ?? {};
}

/** The words by which kinds of mapping are told apart, at the key that says which it is. */
const choicesAt = (path: KeyPath, kind: RecipeKind): string[] =>
  schemasAt(path, kind).flatMap((each) => (each instanceof z.ZodLiteral ? [...each.values].map(String) : []));

function knownKeys(path: KeyPath, root: unknown, kind: RecipeKind): string[] {
  return path[0] === 'sample_prompts'
    ? ['role', 'content', 'messages', 'tools']
    : Object.keys(shapeAt(path, root, kind));
}

/** First sentence of the description of a key. */
function purpose(path: KeyPath, root: unknown, kind: RecipeKind): string {
  const description = shapeAt(path.slice(0, -1), root, kind)[String(path.at(-1))]?.meta()?.description;
  return description?.replace(/[.:]\s.*$/s, '') ?? `${kind.reference} explains the key`;
}
