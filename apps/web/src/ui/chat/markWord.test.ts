import { expect, it } from 'vitest';
import { atSign, signWord, withoutSign } from './markWord.ts';

const marked = (text: string, at: number) => atSign(signWord(text, at));

it.each([
  ['Aye, sailor', 7, { before: 'Aye, ', word: 'sailor', after: '' }],
  ['one **two** three', 5, { before: 'one **', word: 'two**', after: ' three' }],
  ['- `x = 1`', 3, { before: '- `', word: 'x', after: ' = 1`' }],
  ['十五 years', 1, { before: '', word: '十五', after: ' years' }],
  ['a — b', 2, { before: 'a ', word: '—', after: ' b' }],
  ['ends ', 5, { before: 'ends ', word: '', after: '' }],
])('%j at %i', (text, at, parts) => {
  expect(marked(text, at)).toEqual(parts);
  expect(withoutSign(signWord(text, at))).toBe(text);
});

it('finds nothing where nothing is marked', () => {
  expect(atSign('Aye')).toBeUndefined();
});
