import { expect, test } from 'vitest';
import type { ShownToken, TokenBlock } from './shownTokens.ts';
import { differences } from './tokenDifferences.ts';

/** Blocks of [message, tokens]; a token that ends in * is trained. */
function blocks(...parts: [number | null, string][]): TokenBlock[] {
  let index = 0;
  return parts.map(([message, text]) => ({
    message,
    role: null,
    tokens: text.split(' ').map((word) => {
      const part = word.replace('*', '');
      return { index: index++, part, text: part, target: word.endsWith('*') } as ShownToken;
    }),
  }));
}

const differing = (a: TokenBlock[], b: TokenBlock[], isWhole = true) => {
  const { mine, other } = differences(a, b, isWhole);
  return [[...mine], [...other]];
};

test('equal readings have no differences', () => {
  const [row, same] = [1, 2].map(() => blocks([null, '<s>'], [0, 'who are you'], [1, 'a* harbor* </s>*']));
  expect(differing(row ?? [], same ?? [])).toEqual([[], []]);
});

test('other boundaries and other tokens of the template are found, and what follows them is equal again', () => {
  const mine = blocks([null, '<s>'], [0, 'who are you'], [null, '[/INST]'], [1, 'har bor* master* </s>*']);
  const other = blocks([null, '<a> <b>'], [0, 'who are you'], [1, 'harbor* master* </s>*']);
  expect(differing(mine, other)).toEqual([
    [0, 4, 5, 6],
    [0, 1, 5],
  ]);
});

test('a token that is trained in one alone differs', () => {
  expect(differing(blocks([1, 'yes* </s>*']), blocks([1, 'yes* </s>']))).toEqual([[1], [1]]);
});

test('what may still find its counterpart is not marked', () => {
  const [mine, other] = [blocks([0, 'a x b c']), blocks([0, 'a b c d e'])];
  expect(differing(mine, other)).toEqual([[1], [3, 4]]);
  expect(differing(mine, other, false)).toEqual([[1], []]);
});

test('long messages are compared in little memory', () => {
  const [a, b] = ['a', 'b'].map((letter) => `${Array.from({ length: 2500 }, (_, i) => letter + i).join(' ')} end`);
  const [mine, other] = differing(blocks([0, a ?? '']), blocks([0, b ?? '']));
  expect([mine?.length, other?.length]).toEqual([2500, 2500]);
});
