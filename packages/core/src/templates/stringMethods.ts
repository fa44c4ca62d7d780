import { boundArguments, type Given } from './arguments.ts';
import { codePointIndex } from './codePoints.ts';
import { TemplateError } from './errors.ts';
import { taken } from './iterables.ts';
import { allocate, charge, chargeList, chargeSearch } from './meter.ts';
import {
  capitalize,
  expectString,
  islower,
  isupper,
  joinTexts,
  LINE_ENDS,
  lower,
  occurrences,
  replace,
  rsplit,
  SPACE,
  split,
  strip,
  title,
  upper,
} from './strings.ts';
import { type Callable, isList, isString, typeName, type Value } from './values.ts';

const ALL_SPACE = new RegExp(`^[${SPACE}]+$`);

type Method = (text: string, given: Given) => Value;

/** The methods of str that chat templates use. */
const METHODS: Readonly<Record<string, Method>> = {
  strip: (text, [characters]) => strip(text, characters, true, true),
  lstrip: (text, [characters]) => strip(text, characters, true, false),
  rstrip: (text, [characters]) => strip(text, characters, false, true),
  upper,
  lower,
  title,
  capitalize,
  startswith: (text, [prefix]) => affixes(text, prefix, 'startswith').some((item) => text.startsWith(item)),
  endswith: (text, [suffix]) => affixes(text, suffix, 'endswith').some((item) => text.endsWith(item)),
  removeprefix: (text, [prefix]) => {
    const start = expectString(prefix, 'removeprefix');
    return text.startsWith(start) ? text.slice(start.length) : text;
  },
  removesuffix: (text, [suffix]) => {
    const end = expectString(suffix, 'removesuffix');
    return end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text;
  },
  split: (text, [separator, limit]) => split(text, separator, limit),
  rsplit: (text, [separator, limit]) => rsplit(text, separator, limit),
  splitlines: (text) => {
    let count = 0;
    for (const _ of text.matchAll(new RegExp(LINE_ENDS, 'g'))) if (++count % 64 === 0) charge(256);
    allocate(48 * (count + 1));
    const lines = text.split(LINE_ENDS);
    if (lines.at(-1) === '') lines.pop();
    return lines;
  },
  replace: (text, [from, to, count]) => replace(text, from, to, count),
  join: (text, [items]) => {
    if (items === undefined || !isList(items)) throw new TemplateError('can only join an iterable');
    return joinTexts(taken(items).map(joinable), text);
  },
  find: (text, [part]) => codePointIndex(text, find(text, part, 'find')),
  rfind: (text, [part]) => codePointIndex(text, find(text, part, 'rfind')),
  index: (text, [part]) => {
    const at = find(text, part, 'index');
    if (at < 0) throw new TemplateError('substring not found');
    return codePointIndex(text, at);
  },
  count: (text, [part]) => occurrences(text, expectString(part, 'count')),
  isspace: (text) => ALL_SPACE.test(text),
  isdigit: (text) => /^\p{Nd}+$/u.test(text),
  isalpha: (text) => /^\p{L}+$/u.test(text),
  isalnum: (text) => /^[\p{L}\p{N}]+$/u.test(text),
  isupper,
  islower,
};

/** The names of their arguments, where they take some. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  strip: ['chars'],
  lstrip: ['chars'],
  rstrip: ['chars'],
  startswith: ['prefix'],
  endswith: ['suffix'],
  removeprefix: ['prefix'],
  removesuffix: ['suffix'],
  split: ['sep', 'maxsplit'],
  rsplit: ['sep', 'maxsplit'],
  replace: ['old', 'new', 'count'],
  join: ['iterable'],
  find: ['sub'],
  rfind: ['sub'],
  index: ['sub'],
  count: ['sub'],
};

function find(text: string, value: Value | undefined, method: 'find' | 'rfind' | 'index'): number {
  const part = expectString(value, method);
  chargeSearch(text, part);
  return method === 'rfind' ? text.lastIndexOf(part) : text.indexOf(part);
}

/** A method reads its text once at least. */
export function stringMethod(text: string, name: string): Callable | undefined {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  return (
    method &&
    ((args, kwargs) => {
      charge(1 + (text.length >>> 4));
      return method(text, boundArguments(name, PARAMETERS[name] ?? [], args, kwargs));
    })
  );
}

function affixes(text: string, value: Value | undefined, method: string): readonly string[] {
  if (value !== undefined && isList(value)) {
    chargeList(value.length);
    for (const item of value) charge(1 + (isString(item) && item.length <= text.length ? item.length >>> 4 : 0));
    return value.map((item) => expectString(item, method));
  }
  if (value === undefined || !isString(value)) {
    throw new TemplateError(`${method} first arg must be str or a tuple of str, not ${typeName(value ?? null)}`);
  }
  return [value];
}

function joinable(item: Value, i: number): string {
  if (isString(item)) return item;
  throw new TemplateError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
}
