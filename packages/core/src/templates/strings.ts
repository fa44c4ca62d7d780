import { isList, isString, type Kwargs, numeric, str, TemplateError, typeName, type Value } from './values.ts';

/** Python's str.isspace characters; JavaScript's trim has U+FEFF in addition and lacks U+001C–1F and U+0085. */
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACES = new RegExp(`[${SPACE}]+`);
const ALL_SPACE = new RegExp(`^[${SPACE}]+$`);
// oxlint-disable-next-line no-control-regex -- Python ends lines at the file, group and record separators too
const LINE_ENDS = /\r\n|[\n\r\v\f\u001c-\u001e\u0085\u2028\u2029]/;
const isSpace = (character: string): boolean => ALL_SPACE.test(character);

/** str.strip and its relatives: `characters` is a set, all of Python's white space without it. */
export function strip(text: string, characters: Value | undefined, left: boolean, right: boolean): string {
  let start = 0;
  let end = text.length;
  if (characters === undefined || characters === null) {
    if (left) while (start < end && isSpace(text.charAt(start))) start++;
    if (right) while (end > start && isSpace(text.charAt(end - 1))) end--;
    return text.slice(start, end);
  }
  const set = new Set(expectString(characters, 'strip'));
  const points = [...set].some((character) => character.length > 1) ? Array.from(text) : text;
  end = points.length;
  if (left) while (start < end && set.has(points[start] as string)) start++;
  if (right) while (end > start && set.has(points[end - 1] as string)) end--;
  return isString(points) ? points.slice(start, end) : points.slice(start, end).join('');
}

type Method = (text: string, args: readonly Value[], kwargs: Kwargs) => Value;

/** The methods of str that chat templates use. */
const METHODS: Readonly<Record<string, Method>> = {
  strip: (text, [characters]) => strip(text, characters, true, true),
  lstrip: (text, [characters]) => strip(text, characters, true, false),
  rstrip: (text, [characters]) => strip(text, characters, false, true),
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
  title: (text) => title(text),
  capitalize: (text) => capitalize(text),
  startswith: (text, [prefix]) => affixes(prefix, 'startswith').some((item) => text.startsWith(item)),
  endswith: (text, [suffix]) => affixes(suffix, 'endswith').some((item) => text.endsWith(item)),
  removeprefix: (text, [prefix]) => {
    const start = expectString(prefix, 'removeprefix');
    return text.startsWith(start) ? text.slice(start.length) : text;
  },
  removesuffix: (text, [suffix]) => {
    const end = expectString(suffix, 'removesuffix');
    return end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text;
  },
  split: (text, args, kwargs) => split(text, args[0] ?? kwargs.sep, args[1] ?? kwargs.maxsplit),
  rsplit: (text, args, kwargs) => rsplit(text, args[0] ?? kwargs.sep, args[1] ?? kwargs.maxsplit),
  splitlines: (text) => {
    const lines = text.split(LINE_ENDS);
    if (lines.at(-1) === '') lines.pop();
    return lines;
  },
  replace: (text, [from, to, count]) => replace(text, from, to, count),
  join: (text, [items]) => {
    if (items === undefined || !isList(items)) throw new TemplateError('can only join an iterable');
    return items.map((item, i) => joinable(item, i)).join(text);
  },
  find: (text, [part]) => codePointIndex(text, text.indexOf(expectString(part, 'find'))),
  rfind: (text, [part]) => codePointIndex(text, text.lastIndexOf(expectString(part, 'rfind'))),
  index: (text, [part]) => {
    const at = text.indexOf(expectString(part, 'index'));
    if (at < 0) throw new TemplateError('substring not found');
    return codePointIndex(text, at);
  },
  count: (text, [part]) => text.split(expectString(part, 'count')).length - 1,
  isspace: (text) => isSpace(text),
  isdigit: (text) => /^\p{Nd}+$/u.test(text),
  isalpha: (text) => /^\p{L}+$/u.test(text),
  isalnum: (text) => /^[\p{L}\p{N}]+$/u.test(text),
  isupper: (text) => text !== text.toLowerCase() && text === text.toUpperCase(),
  islower: (text) => text !== text.toUpperCase() && text === text.toLowerCase(),
};

export const stringMethod = (name: string): Method | undefined =>
  Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;

export const title = (text: string): string =>
  text.replace(/\p{L}+/gu, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
export const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();

export function replace(text: string, from: Value | undefined, to: Value | undefined, count?: Value): string {
  const old = expectString(from, 'replace');
  const replacement = expectString(to, 'replace');
  const limit = limitOf(count ?? undefined);
  if (limit === Number.POSITIVE_INFINITY && old !== '') return text.replaceAll(old, () => replacement);
  if (old === '') return Array.from(text, (character) => replacement + character).join('') + replacement;
  const parts = text.split(old);
  if (parts.length - 1 <= limit) return parts.join(replacement);
  return parts.slice(0, limit + 1).join(replacement) + from + parts.slice(limit + 1).join(old);
}

function split(text: string, separator: Value | undefined, maxSplit: Value | undefined): string[] {
  const limit = limitOf(maxSplit);
  if (separator === undefined || separator === null) {
    const parts: string[] = [];
    let rest = strip(text, null, true, false);
    while (rest !== '') {
      const gap = SPACES.exec(rest);
      if (gap === null || parts.length === limit)
        return [...parts, parts.length === limit ? rest : strip(rest, null, false, true)];
      parts.push(rest.slice(0, gap.index));
      rest = rest.slice(gap.index + gap[0].length);
    }
    return parts;
  }
  const by = expectSeparator(separator);
  const parts = text.split(by);
  return parts.length - 1 <= limit ? parts : [...parts.slice(0, limit), parts.slice(limit).join(by)];
}

function rsplit(text: string, separator: Value | undefined, maxSplit: Value | undefined): string[] {
  const limit = limitOf(maxSplit);
  if (separator === undefined || separator === null) {
    if (limit === Number.POSITIVE_INFINITY) return split(text, null, undefined);
    throw new TemplateError('rsplit with maxsplit needs a separator here');
  }
  const by = expectSeparator(separator);
  const parts = text.split(by);
  if (parts.length - 1 <= limit) return parts;
  const head = parts.length - limit;
  return [parts.slice(0, head).join(by), ...parts.slice(head)];
}

function limitOf(maxSplit: Value | undefined): number {
  const limit = maxSplit === undefined ? -1 : (numeric(maxSplit) ?? -1);
  return limit < 0 ? Number.POSITIVE_INFINITY : limit;
}

function expectSeparator(value: Value): string {
  const separator = expectString(value, 'split');
  if (separator === '') throw new TemplateError('empty separator');
  return separator;
}

function affixes(value: Value | undefined, method: string): readonly string[] {
  if (value !== undefined && isList(value)) return value.map((item) => expectString(item, method));
  if (value === undefined || !isString(value)) {
    throw new TemplateError(`${method} first arg must be str or a tuple of str, not ${typeName(value ?? null)}`);
  }
  return [value];
}

function expectString(value: Value | undefined, method: string): string {
  if (value !== undefined && isString(value)) return value;
  throw new TemplateError(`${method}() argument must be str, not ${value === undefined ? 'missing' : typeName(value)}`);
}

function joinable(item: Value, i: number): string {
  if (isString(item)) return item;
  throw new TemplateError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
}

const codePointIndex = (text: string, at: number): number => (at <= 0 ? at : Array.from(text.slice(0, at)).length);

/** Python counts code points where JavaScript counts UTF-16 units. */
export function codePoints(text: string): readonly string[] {
  return Array.from(text);
}
export const codePointLength = (text: string): number =>
  /[\ud800-\udfff]/.test(text) ? Array.from(text).length : text.length;

/** ", ".join for filters: items are printed first. */
export const joinPrinted = (items: readonly Value[], separator: string): string => items.map(str).join(separator);
