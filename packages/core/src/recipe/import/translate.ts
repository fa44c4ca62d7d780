import { isDeepStrictEqual } from 'node:util';
import type * as z from 'zod';
import { UserError } from '../../errors.ts';
import { type Recipe, recipeSchema } from '../schema.ts';

/** A recipe of another trainer: its keys and values as parsed. */
export type Input = Record<string, unknown>;

export interface Translated {
  /** Key of the other recipe, dotted inside lists: `datasets.0.type`. */
  from: string;
  /** Our keys and values, or `nothing` where Anneal does so anyway. */
  to: string;
  note?: string;
}

export interface Untranslated {
  key: string;
  value: unknown;
  reason: string;
}

/** A default of the other trainer that is not ours, and so has to be written. */
export interface Implied {
  key: string;
  value: unknown;
  note: string;
}

export interface Translation {
  recipe: Partial<Recipe>;
  /** Every key of the input stands once in `translated` or once in `untranslated`. */
  translated: Translated[];
  untranslated: Untranslated[];
  implied: Implied[];
}

/**
 * What becomes of one key: our keys (none where Anneal does so anyway), or the reason why nothing corresponds. `byHand`: what to write
 * where our keys are in another place, such as in each data set.
 */
export type Outcome = { values: Input; note?: string | undefined; byHand?: string } | { reason: string };

/** The whole input comes along, for keys whose meaning depends on others. */
export type Rule = (value: unknown, input: Input) => Outcome;
export type Rules = Readonly<Record<string, Rule>>;

export const becomes = (values: Input, note?: string): Outcome => ({ values, note });
export const nothing = (note: string): Outcome => ({ values: {}, note });
export const elsewhere = (note: string, byHand: string): Outcome => ({ values: {}, note, byHand });
export const cannot = (reason: string): Outcome => ({ reason });

/** The same thing under our name. */
export const renamed =
  (key: string, note?: string): Rule =>
  (value) =>
    becomes({ [key]: value }, note);

/** Settings that Anneal has no use for, with the reason, whatever their value. */
export function needless(note: string, keys: readonly string[]): Rules {
  return Object.fromEntries(keys.map((key) => [key, () => nothing(note)]));
}

export function missing(reason: string, keys: readonly string[]): Rules {
  return Object.fromEntries(keys.map((key) => [key, isOff(() => cannot(reason))]));
}

/** A way of training that Anneal does not have makes the rest of a recipe meaningless. */
export function refuseTraining(key: string, value: unknown): never {
  throw new UserError({
    what: `the recipe trains by \`${shown({ [key]: value })}\`, which Anneal does not have`,
    where: key,
    next: 'Anneal imports supervised fine-tuning, continued pre-training and learning from preferences (dpo, ipo, orpo, simpo, cpo, kto, reward models), with LoRA, QLoRA or of all weights',
    code: 'import_unsupported',
  });
}

/** Wraps a rule for a thing that is simply off when its value is false, 0, `no` or empty: a text, a list or a mapping. */
export function isOff(rule: Rule): Rule {
  return (value, input) => {
    const isEmpty = value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
    return isEmpty || value === false || value === 0 || value === 'no' || value === 'none'
      ? nothing('off, as in Anneal')
      : rule(value, input);
  };
}

/** What has been said so far about the keys of a recipe. */
export type Account = Omit<Translation, 'recipe'>;

export const newAccount = (): Account => ({ translated: [], untranslated: [], implied: [] });

/**
 * Translates the keys of one mapping. Values that our schema refuses and values that contradict an earlier key are
 * reported as untranslated, so that what comes out is always sound key by key.
 */
export function translateKeys(
  account: Account,
  input: Input,
  rules: Rules,
  shape: Readonly<Record<string, z.ZodType>>,
  { prefix = '', except = [] }: { prefix?: string; except?: readonly string[] } = {},
): Input {
  const output: Input = {};
  for (const [key, value] of Object.entries(input)) {
    if (except.includes(key)) continue;
    const from = prefix + key;
    const outcome = fitting(outcomeOf(key, value, input, rules), output, shape);
    if ('reason' in outcome) {
      account.untranslated.push({ key: from, value, reason: outcome.reason });
    } else {
      Object.assign(output, outcome.values);
      const to = Object.keys(outcome.values).length === 0 ? 'nothing' : shown(outcome.values);
      account.translated.push({ from, to, ...(outcome.note === undefined ? {} : { note: outcome.note }) });
    }
  }
  return output;
}

/** Writes down a default of the other trainer unless the recipe has said something itself. */
export function imply(account: Account, output: Input, key: string, value: unknown, note: string): void {
  if (key in output) return;
  output[key] = value;
  account.implied.push({ key, value, note });
}

function outcomeOf(key: string, value: unknown, input: Input, rules: Rules): Outcome {
  const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
  if (rule === undefined) return cannot('not a setting that this translator knows');
  return value === null && !nullMatters.has(key) ? nothing('empty: the default applies') : rule(value, input);
}

/** The outcome, if its values suit our schema and what earlier keys have said. */
function fitting(outcome: Outcome, output: Input, shape: Readonly<Record<string, z.ZodType>>): Outcome {
  if ('reason' in outcome) return outcome;
  for (const [key, value] of Object.entries(outcome.values)) {
    const sound = shape[key]?.safeParse(value);
    if (!sound?.success) return cannot(`its value does not fit \`${key}\`: ${sound?.error.issues[0]?.message}`);
    if (key in output && !isDeepStrictEqual(output[key], value)) {
      return cannot(`another key already says ${shown({ [key]: output[key] })}`);
    }
  }
  return outcome;
}

/** Keys for which null is a value: `adapter:` left empty is full fine-tuning. */
const nullMatters = new Set(['adapter']);

export const recipeShape: Record<string, z.ZodType> = recipeSchema.shape;

/** `lora_r: 16, lora_alpha: 32` */
export function shown(values: Input): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

export function isMapping(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
