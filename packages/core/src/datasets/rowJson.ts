import { UserError } from '@anneal/formats/errors';
import { numberFromJson } from '../templates/values.ts';
import { describeSource, type RawRow, type RowSource } from './types.ts';

/** Text, tokens and their places take up to 50 bytes for one of the row: 1.6 GB here. A longer row is dropped before it is read. */
export const MAX_ROW = 32 << 20;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of a row. @throws UserError `invalid_utf8` */
export function decodeRow(bytes: Uint8Array, source: RowSource): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new UserError({
      what: 'the row is not valid UTF-8',
      where: describeSource(source),
      next: 'convert the file to UTF-8 (iconv -t UTF-8), or repair this row',
      code: 'invalid_utf8',
      cause,
    });
  }
}

/**
 * A row that is a JSON object; with a fault, it is dropped.
 * @throws UserError `malformed_row`
 */
export function parseRow(text: string, source: RowSource): RawRow {
  let parsed: ParsedJson;
  try {
    parsed = parseJson(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw malformed(
      `not valid JSON: ${why}`,
      source,
      source.row === 1 && isCut(text, why) ? ON_ONE_LINE : REPAIR,
      cause,
    );
  }
  const { value, fault, disordered } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(
      `the row is ${Array.isArray(value) ? 'a list' : JSON.stringify(value)}, not an object with fields`,
      source,
      Array.isArray(value) ? LIST : REPAIR,
    );
  }
  return {
    source,
    value: value as RawRow['value'],
    ...(fault !== null && { fault }),
    ...(disordered && { disordered }),
  };
}

export interface ParsedJson {
  readonly value: unknown;
  /**
   * Why the text does not say one thing: a parser takes the last of two equal keys and makes infinity of a number that is too
   * large, and a tokenizer replaces half a character.
   */
  readonly fault: string | null;
  /** An object has keys that are numbers, not in ascending order before all others: JavaScript puts them there, Python keeps them. */
  readonly disordered: boolean;
}

/** Numbers that Python prints otherwise than JavaScript: 1.0, 0.00001, 1e5, more than 15 digits. */
const PYTHON_NUMBER = /[:[,]\s*-?(?:\d+\.\d*0(?!\d)|0\.0000|\d+(?:\.\d+)?[eE]|\d{16})/;

/**
 * JSON of a row, or within one. Numbers in it print in a chat template as Python prints them.
 * @throws SyntaxError
 */
export function parseJson(text: string): ParsedJson {
  const value: unknown = PYTHON_NUMBER.test(text) ? JSON.parse(text, reviveNumber) : JSON.parse(text);
  const { twice, disordered } = keysOf(text);
  return {
    value,
    fault: twice === null ? faultIn(text) : `the key ${JSON.stringify(twice)} stands twice in one object`,
    disordered,
  };
}

function faultIn(text: string): string | null {
  const huge = largerThanAFloat(text);
  if (huge !== null) return `the number ${huge} is larger than any float: it would be read as infinity`;
  if (holdsLoneSurrogate(text)) return 'an escape such as \\ud83d is half a character: its other half is missing';
  return null;
}

const LARGE_NUMBER = /[:[,]\s*-?(?:\d+(?:\.\d+)?[eE]\+?\d{3}|\d{309})/;

/** The first number with a fraction or an exponent that is infinite as a float. Integers keep their digits. */
function largerThanAFloat(json: string): string | null {
  if (!LARGE_NUMBER.test(json)) return null;
  let found: string | null = null;
  JSON.parse(json, (_key, value: unknown, context?: { source: string }) => {
    const source = context?.source ?? '';
    if (value === Infinity || value === -Infinity) found ??= /^-?\d+$/.test(source) ? null : source;
    return value;
  });
  return found;
}

function reviveNumber(_key: string, value: unknown, context?: { source: string }): unknown {
  return typeof value === 'number' && context !== undefined ? numberFromJson(context.source) : value;
}

/** The keys of an object so far. */
interface Keys {
  readonly seen: Set<string>;
  /** The largest that is a number; infinite once there was another. */
  number: number;
}

const NUMBER = /^(?:0|[1-9]\d{0,9})$/;

/** The first key that stands twice in one object, and whether keys stand in another order than JavaScript's. Of a text that is known to be JSON. */
function keysOf(json: string): { twice: string | null; disordered: boolean } {
  /** Of each object that is open; null for a list. */
  const open: (Keys | null)[] = [];
  let disordered = false;
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case '{':
        open.push({ seen: new Set(), number: -1 });
        break;
      case '[':
        open.push(null);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const end = endOfString(json, i);
        const keys = open.at(-1);
        if (keys && isKey(json, end + 1)) {
          const written = json.slice(i, end + 1);
          const key = written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1);
          if (keys.seen.has(key)) return { twice: key, disordered };
          keys.seen.add(key);
          const number = NUMBER.test(key) ? Number(key) : Infinity;
          disordered ||= number < keys.number;
          keys.number = number;
        }
        i = end;
      }
    }
  }
  return { twice: null, disordered };
}

/** Where the string that opens at `start` closes. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let before = end;
    while (json[before - 1] === '\\') before--;
    if ((end - before) % 2 === 0) return end;
  }
}

function isKey(json: string, after: number): boolean {
  let i = after;
  while (json[i] === ' ' || json[i] === '\n' || json[i] === '\r' || json[i] === '\t') i++;
  return json[i] === ':';
}

const SURROGATE = /\\u[dD][89a-fA-F]/;
/** Escapes that are whole characters: a pair, or no surrogate. */
const WHOLE_ESCAPES = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u(?![dD][89a-fA-F])|[^u])/g;

/** In the decoded text of a file only an escape can be one. */
function holdsLoneSurrogate(json: string): boolean {
  return SURROGATE.test(json) && SURROGATE.test(json.replace(WHOLE_ESCAPES, ''));
}

const REPAIR = 'repair or remove this row; nothing was trained';
const LIST =
  'a file of one list of rows is named .json; a list of messages belongs into a field of its row, {"messages": […]}';
const ON_ONE_LINE =
  "write each row on one line: jq -c . FILE > rows.jsonl, where the file is one list jq -c '.[]', where the rows are in a field data jq -c '.data[]'";

/** Whether the JSON goes on in the next line: the parser found nothing wrong up to the end, which is not within a text. */
function isCut(text: string, why: string): boolean {
  const at = /at position (\d+)/.exec(why)?.[1];
  return (
    !why.startsWith('Unterminated') && (why.startsWith('Unexpected end') || Number(at ?? 0) >= text.trimEnd().length)
  );
}

function malformed(what: string, source: RowSource, next: string, cause?: unknown): UserError {
  return new UserError({
    what,
    where: describeSource(source),
    next,
    code: 'malformed_row',
    cause,
  });
}
