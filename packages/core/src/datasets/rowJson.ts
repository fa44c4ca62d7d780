import { UserError } from '@anneal/formats/errors';
import { numberFromJson } from '../templates/values.ts';
import { describeSource, type RowSource } from './types.ts';

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

/** Numbers that Python prints otherwise than JavaScript: 1.0, 0.00001, 1e5, more than 15 digits. */
const PYTHON_NUMBER = /[:[,]\s*-?(?:\d+\.\d*0(?!\d)|0\.0000|\d+(?:\.\d+)?[eE]|\d{16})/;

/**
 * A row that is a JSON object. Numbers in it print in a chat template as Python prints them.
 * @throws UserError `malformed_row`
 */
export function parseRow(text: string, source: RowSource): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = PYTHON_NUMBER.test(text) ? JSON.parse(text, reviveNumber) : JSON.parse(text);
  } catch (cause) {
    throw malformed(`not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`, source, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(
      `the row is ${Array.isArray(value) ? 'a list' : JSON.stringify(value)}, not an object with fields`,
      source,
    );
  }
  return value as Readonly<Record<string, unknown>>;
}

function reviveNumber(_key: string, value: unknown, context?: { source: string }): unknown {
  return typeof value === 'number' && context !== undefined ? numberFromJson(context.source) : value;
}

function malformed(what: string, source: RowSource, cause?: unknown): UserError {
  return new UserError({
    what,
    where: describeSource(source),
    next: 'repair or remove this row; nothing was trained',
    code: 'malformed_row',
    cause,
  });
}
