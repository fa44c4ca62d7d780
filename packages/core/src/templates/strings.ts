import { codePointLength, codePoints } from './codePoints.ts';
import { TemplateError, TemplateLimitError } from './errors.ts';
import { allocate, charge, chargeSearch, chargeText } from './meter.ts';
import { isString, numeric, str, typeName, type Value } from './values.ts';

/** Python's str.isspace characters; JavaScript's trim has U+FEFF in addition and lacks U+001C–1F and U+0085. */
export const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACES = new RegExp(`[${SPACE}]+`);
const ONE_SPACE = new RegExp(`^[${SPACE}]$`);
// oxlint-disable-next-line no-control-regex -- Python ends lines at the file, group and record separators too
export const LINE_ENDS = /\r\n|[\n\r\v\f\u001c-\u001e\u0085\u2028\u2029]/;
const isSpace = (character: string): boolean => ONE_SPACE.test(character);

/** str.strip and its relatives: `characters` is a set, all of Python's white space without it. */
export function strip(text: string, characters: Value | undefined, left: boolean, right: boolean): string {
  charge(1 + (text.length >>> 5));
  const given = characters === undefined || characters === null ? null : expectString(characters, 'strip');
  charge(given?.length ?? 0);
  const set = given === null ? null : new Set(given);
  const isStripped = set === null ? isSpace : (character: string) => set.has(character);
  let start = 0;
  let end = text.length;
  for (let more = left; more && start < end; ) {
    const character = String.fromCodePoint(text.codePointAt(start) as number);
    more = isStripped(character);
    if (more) start += character.length;
  }
  for (let more = right; more && end > start; ) {
    const before = end - 2 >= start && (text.codePointAt(end - 2) as number) > 0xffff ? end - 2 : end - 1;
    more = isStripped(text.slice(before, end));
    if (more) end = before;
  }
  charge((text.length - (end - start)) >>> 1);
  return text.slice(start, end);
}

export function isupper(text: string): boolean {
  return text !== lower(text) && text === upper(text);
}
export function islower(text: string): boolean {
  return text !== upper(text) && text === lower(text);
}
export function upper(text: string): string {
  return changed(text, text.toUpperCase());
}
export function lower(text: string): string {
  return changed(text, text.toLowerCase());
}

function changed(text: string, result: string): string {
  charge(text.length >>> 3);
  allocate(result.length);
  return result;
}

export function title(text: string): string {
  charge(2 * text.length);
  allocate(8 * text.length);
  // A letter that has no case, as a Chinese one, begins a word anew behind it.
  return text.replace(/[\p{Lu}\p{Ll}\p{Lt}]+/gu, capitalize);
}
/** Jinja's filter of that name, which parts words at white space, hyphens and brackets only. */
export function titleOfWords(text: string): string {
  charge(2 * text.length);
  allocate(8 * text.length);
  return text.split(WORD_BEGINNINGS).map(capitalize).join('');
}
const WORD_BEGINNINGS = new RegExp(`([-${SPACE}({\\[<]+)`);
export function capitalize(text: string): string {
  return upper(text.charAt(0)) + lower(text.slice(1));
}

export function replace(text: string, from: Value | undefined, to: Value | undefined, count?: Value): string {
  const old = expectString(from, 'replace');
  const replacement = expectString(to, 'replace');
  const limit = limitOf(count ?? undefined);
  const found = old === '' ? codePointLength(text) + 1 : occurrences(text, old);
  const replaced = Math.min(found, limit);
  charge(found);
  chargeNew(text.length + replaced * (replacement.length - old.length));
  if (replaced === found && old !== '') return text.replaceAll(old, () => replacement);
  if (old === '') {
    const characters = codePoints(text);
    const head = characters.slice(0, replaced).map((character) => replacement + character);
    return head.join('') + (replaced === found ? replacement : characters.slice(replaced).join(''));
  }
  const parts = text.split(old);
  return parts.slice(0, replaced + 1).join(replacement) + (old + parts.slice(replaced + 1).join(old));
}

/** How often a part occurs, without overlaps. */
export function occurrences(text: string, part: string): number {
  chargeSearch(text, part);
  if (part === '') return codePointLength(text) + 1;
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
    if (++count % 1024 === 0) charge(1024);
  }
  return count;
}

/** The pieces between separators, each of which is a new text. */
export function pieces(text: string, separator: string): string[] {
  const count = occurrences(text, separator) + 1;
  charge(count);
  allocate(48 * count);
  return text.split(separator);
}

export function split(text: string, separator: Value | undefined, maxSplit: Value | undefined): string[] {
  const limit = limitOf(maxSplit);
  if (separator === undefined || separator === null) {
    charge(text.length >>> 3);
    const parts: string[] = [];
    let rest = strip(text, null, true, false);
    while (rest !== '') {
      charge(4);
      allocate(96);
      const gap = SPACES.exec(rest);
      if (gap === null || parts.length === limit)
        return [...parts, parts.length === limit ? rest : strip(rest, null, false, true)];
      parts.push(rest.slice(0, gap.index));
      rest = rest.slice(gap.index + gap[0].length);
    }
    return parts;
  }
  const by = expectSeparator(separator);
  const parts = pieces(text, by);
  return parts.length - 1 <= limit ? parts : [...parts.slice(0, limit), parts.slice(limit).join(by)];
}

export function rsplit(text: string, separator: Value | undefined, maxSplit: Value | undefined): string[] {
  const limit = limitOf(maxSplit);
  if (separator === undefined || separator === null) {
    if (limit === Number.POSITIVE_INFINITY) return split(text, null, undefined);
    throw new TemplateError('rsplit with maxsplit needs a separator here');
  }
  const by = expectSeparator(separator);
  const parts = pieces(text, by);
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

export function expectString(value: Value | undefined, method: string): string {
  if (value !== undefined && isString(value)) return value;
  throw new TemplateError(`${method}() argument must be str, not ${value === undefined ? 'missing' : typeName(value)}`);
}

/** ", ".join for filters: items are printed first. */
export const joinPrinted = (items: readonly Value[], separator: string): string => joinTexts(items.map(str), separator);

export function joinTexts(items: readonly string[], separator: string): string {
  let length = separator.length * Math.max(0, items.length - 1);
  for (const item of items) length += item.length;
  charge(items.length >>> 2);
  chargeNew(length);
  return items.join(separator);
}

/** A new text of a length that is known before it is made. */
export function chargeNew(length: number): void {
  checkLength(length);
  chargeText(Math.max(0, length));
}

export function checkLength(length: number): void {
  if (length > MAX_STRING) throw new TemplateLimitError(`a value of the template grew beyond ${MAX_STRING} characters`);
}

/** No string of a template may grow beyond this: conversations of millions of tokens stay far below. */
const MAX_STRING = 1 << 24;
