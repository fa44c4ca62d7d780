import { expect, test } from 'vitest';
import { random } from '../../random.ts';
import { TextSearch } from './textSearch.ts';

const found = (texts: readonly string[], text: string) => [...new TextSearch(texts).findAll(text)];

test('where several begin at one place, the longest is found, and none overlap', () => {
  expect(found(['a', 'ab', 'abcd'], 'xabcabcdab')).toEqual([
    [1, 3],
    [4, 8],
    [8, 10],
  ]);
});

test('half a character is none', () => {
  expect(found(['\ud83d', '\ude00', 'a\ud83d'], 'a\ud83d\ude00\ud83d')).toEqual([[3, 4]]);
});

test('as a regular expression of all texts finds them', () => {
  const { below } = random('text search', 1);
  const pieces = ['a', 'b', 'ab', '<', '|', 'é', '😀', '\ud83d', '\ude00', '.', '\n'];
  const any = (most: number) => Array.from({ length: 1 + below(most) }, () => pieces[below(pieces.length)]).join('');
  let count = 0;
  for (let round = 0; round < 3000; round++) {
    const texts = Array.from({ length: 1 + below(8) }, () => any(4));
    const text = any(30);
    const longestFirst = texts
      .toSorted((a, b) => b.length - a.length)
      .map((each) => each.replaceAll(/[.|]/g, String.raw`\$&`));
    const expected = [...text.matchAll(new RegExp(longestFirst.join('|'), 'gu'))].map(
      ({ 0: match, index }) => [index, index + match.length] as const,
    );
    expect(found(texts, text), JSON.stringify([texts, text])).toEqual(expected);
    count += expected.length;
  }
  expect(count).toBeGreaterThan(3000);
});
