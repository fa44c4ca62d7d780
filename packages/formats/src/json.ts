import { UserError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** A JSON object of unknown content. */
export type JsonObject = { [key: string]: unknown };

/**
 * Parses JSON that came from outside: valid UTF-8, nesting bounded before anything is built, and no key twice in one object
 * (JSON.parse would silently keep the last one, other readers the first).
 * @throws UserError `invalid_json`
 */
export function parseJson(bytes: Uint8Array, where: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalidJson('not valid UTF-8', where, cause);
  }
  checkNestingAndKeys(text, where);
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8 quotes the text, line ends included.
    throw invalidJson(String((cause as Error).message).replaceAll(/\s+/g, ' '), where, cause);
  }
}

/** As `parseJson`, for files whose root must be an object. */
export function parseJsonObject(bytes: Uint8Array, where: string): JsonObject {
  const value = parseJson(bytes, where);
  if (!isJsonObject(value)) throw invalidJson('the root is not an object', where);
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One pass over the characters; whether the text is JSON at all is left to JSON.parse. */
function checkNestingAndKeys(text: string, where: string): void {
  const keys: (Set<string> | undefined)[] = []; // one per open bracket, a set where it is an object
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
      case 0x5b: // [
        if (keys.length === LIMITS.jsonDepth) throw invalidJson(`nested deeper than ${LIMITS.jsonDepth} levels`, where);
        keys.push(text[i] === '{' ? new Set() : undefined);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        keys.pop();
        break;
      case 0x22: {
        const end = endOfString(text, i);
        const seen = keys.at(-1);
        if (seen !== undefined && isKey(text, end)) {
          const key = decodeString(text.slice(i, end));
          if (key !== undefined && seen.has(key))
            throw invalidJson(`the key ${JSON.stringify(key)} appears twice`, where);
          if (key !== undefined) seen.add(key);
        }
        i = end - 1;
        break;
      }
    }
  }
}

/** Index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5c) i++;
    else if (c === 0x22) return i + 1;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  for (let i = end; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c !== 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d) return c === 0x3a;
  }
  return false;
}

/** Undefined for a malformed string, which JSON.parse reports better a moment later. */
function decodeString(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

function invalidJson(reason: string, where: string, cause?: unknown): UserError {
  return new UserError({
    what: `not readable as JSON: ${reason}`,
    where,
    next: 'download or write the file again',
    code: 'invalid_json',
    cause,
  });
}
