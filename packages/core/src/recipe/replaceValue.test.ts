import { expect, test } from 'vitest';
import { replaceValue } from './replaceValue.ts';

const text = `# mine
datasets:
  - path:   data/rows.jsonl   # the rows
    type: chat_template
  - {path: "other.jsonl", weight: 2.0}
`;

test('only the value is another one', () => {
  expect(replaceValue(text, ['datasets', 0, 'path'], 'data/versions/rows.v2.jsonl')).toBe(
    text.replace('data/rows.jsonl', '"data/versions/rows.v2.jsonl"'),
  );
  expect(replaceValue(text, ['datasets', 1, 'path'], 'a: b')).toBe(text.replace('"other.jsonl"', '"a: b"'));
});

test('a place without a plain value has none to replace', () => {
  expect(() => replaceValue(text, ['datasets', 0], 'x')).toThrow('no value at datasets.0');
  expect(() => replaceValue(text, ['datasets', 5, 'path'], 'x')).toThrow('no value');
});
