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

const differing = (a: TokenBlock[], b: TokenBlock[], isWhole = true, isOtherWhole = isWhole) => {
  const { mine, other } = differences(a, b, { mine: isWhole, other: isOtherWhole });
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
  const [further, behind] = [blocks([0, 'a x'], [1, 'b'], [2, 'c']), blocks([0, 'a y'], [1, 'b'])];
  expect(differing(further, behind, false)).toEqual([[1], [1]]);
  expect(differing(behind, further, false)).toEqual([[1], [1]]);
  const furthest = blocks([0, 'a y'], [1, 'b'], [2, 'c'], [3, 'd']);
  expect(differing(furthest, behind, false)).toEqual([[], []]);
  expect(differing(furthest, behind)).toEqual([[3, 4], []]);
  expect(differing(furthest, behind, false, true)).toEqual([[3], []]);
});

test('a long message of which both ends differ has the rest in common', () => {
  const middle = Array.from({ length: 5000 }, (_, i) => `w${i % 7}`).join(' ');
  const [mine, other] = [blocks([0, `Say ${middle} x <|im_end|>`]), blocks([0, `say ${middle} </s>`])];
  expect(differing(mine, other)).toEqual([
    [0, 5001, 5002],
    [0, 5001],
  ]);
});

/** Forty of three letters. */
const words = (seed: number) => Array.from({ length: 40 }, (_, i) => 'abc'[(((i * i + seed) * 7919) % 11) % 3]);

const without = (all: (string | undefined)[], gone: number[]) => all.filter((_, i) => !gone.includes(i));

test('as many tokens are common as can be', () => {
  for (let seed = 0; seed < 20; seed++) {
    const [a, b] = [words(seed), words(seed + 5)];
    // The length of what is common to the first i and the first j of them.
    const common = Array.from({ length: 41 }, () => Array<number>(41).fill(0));
    const at = (i: number, j: number) => common[i]?.[j] ?? 0;
    for (let i = 1; i <= 40; i++) {
      for (let j = 1; j <= 40; j++) {
        const equal = a[i - 1] === b[j - 1];
        (common[i] as number[])[j] = equal ? at(i - 1, j - 1) + 1 : Math.max(at(i - 1, j), at(i, j - 1));
      }
    }
    const [mine = [], other = []] = differing(blocks([0, a.join(' ')]), blocks([0, b.join(' ')]));
    expect([mine.length, other.length]).toEqual([40 - at(40, 40), 40 - at(40, 40)]);
    expect(without(a, mine)).toEqual(without(b, other));
  }
});

test('long messages are compared in little memory', () => {
  const [a, b] = ['a', 'b'].map((letter) => `${Array.from({ length: 2500 }, (_, i) => letter + i).join(' ')} end`);
  const [mine, other] = differing(blocks([0, a ?? '']), blocks([0, b ?? '']));
  expect([mine?.length, other?.length]).toEqual([2500, 2500]);
});
