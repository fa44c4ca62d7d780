import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, parseJsonObject } from '../src/json.ts';
import { userError } from './helpers.ts';

const parse = (text: string) => parseJson(Buffer.from(text), 'file.json');

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

describe('parseJson', () => {
  it('says what is wrong in one line', () => {
    expect(userError(() => parse('no\nJSON\n')).what).toMatch(/^not readable as JSON: .*no JSON/);
  });

  it('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('fails where JSON.parse fails, as a UserError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0a1 -.eE\n') }), (text) => {
        const expected = attempt(() => JSON.parse(text));
        if (expected === undefined) expect(userError(() => parse(text)).code).toBe('invalid_json');
        else expect(parse(text)).toEqual(expected);
      }),
      { seed: 1, numRuns: 5000 },
    );
  });

  it.each([
    ['{"a":1,"a":2}', '"a" appears twice'],
    ['{"b":[{"a":1,"\\u0061":2}]}', '"a" appears twice'],
    ['{"a":{"a":{"a":1}},"b":["a","a"]}', undefined],
    [`${'['.repeat(64)}${']'.repeat(64)}`, undefined],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 'nested deeper than 64'],
    ['[1,]', 'JSON'],
  ])('%s: %s', (text, message) => {
    if (message === undefined) expect(parse(text)).toEqual(JSON.parse(text));
    else expect(userError(() => parse(text)).what).toContain(message);
  });

  it('wants an object where one is wanted', () => {
    for (const text of ['[]', 'null', '1']) {
      expect(userError(() => parseJsonObject(Buffer.from(text), 'x')).what).toContain('the root is not an object');
    }
  });
});
