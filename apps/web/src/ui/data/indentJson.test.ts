import { expect, test } from 'vitest';
import { indentJson } from './indentJson.ts';

test('is what JSON.stringify indents', () => {
  const value = { a: [1, { b: 'x, {"y"}: [\\]' }, []], c: {}, d: null, e: [true, false], f: '' };
  expect(indentJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
  expect(indentJson(indentJson(JSON.stringify(value)))).toBe(JSON.stringify(value, null, 2));
});

test('leaves numbers and escapes as they are written', () => {
  expect(indentJson('{"a":1.0,"b":1e5,"c":"\\u00e9","d":12345678901234567890}')).toBe(
    '{\n  "a": 1.0,\n  "b": 1e5,\n  "c": "\\u00e9",\n  "d": 12345678901234567890\n}',
  );
});
