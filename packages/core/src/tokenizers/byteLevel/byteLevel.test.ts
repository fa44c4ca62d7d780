import type { JsonObject } from '@anneal/formats/json';
import { SPLITS } from '@anneal/formats/tokenizer/splits';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteTokenizer, byteTokenizerJson } from '../../../test/byteTokenizer.ts';
import { byteLevelCodec } from './byteLevelCodec.ts';
import { PairTable } from './pairTable.ts';
import { PreTokenizer } from './preTokenizer.ts';
import { WordMerger } from './wordMerger.ts';

fc.configureGlobal({ seed: 3407 });

/** Every third merge gives one of the ids 0 … 7 again. */
const merged = (rank: number): number => (rank % 3 === 0 ? rank % 8 : 8 + rank);

describe('merging', () => {
  /** Pairs of the ids 0 … 7, by rank. */
  const merges = fc.uniqueArray(fc.tuple(fc.nat(7), fc.nat(7)), { selector: String, maxLength: 30 });

  it('does what the definition says', () => {
    fc.assert(
      fc.property(merges, fc.array(fc.nat(7), { maxLength: 60 }), (pairs, word) => {
        const table = new PairTable(pairs.length);
        for (const [rank, [left, right]] of pairs.entries()) table.set(left, right, rank, merged(rank));
        const ids = Int32Array.from(word);
        const ends = Int32Array.from(word, (_, i) => i + 1);
        const count = new WordMerger(table).merge(ids, ends, word.length);

        const expected = word.map((id, i) => ({ id, end: i + 1 }));
        for (;;) {
          const ranks = expected.map(({ id }, i) =>
            pairs.findIndex(([left, right]) => left === id && right === expected[i + 1]?.id),
          );
          const lowest = Math.min(...ranks.filter((rank) => rank >= 0));
          if (lowest === Infinity) break;
          const at = ranks.indexOf(lowest);
          expected.splice(at, 2, { id: merged(lowest), end: (expected[at + 1] as { end: number }).end });
        }
        expect(Array.from(ids.subarray(0, count), (id, i) => ({ id, end: ends[i] }))).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes a word of a million bytes', () => {
    const table = new PairTable(20);
    for (let rank = 0; rank < 20; rank++) table.set(rank, rank, rank, rank + 1);
    const length = 2 ** 20;
    const ids = new Int32Array(length);
    const ends = Int32Array.from(ids, (_, i) => i + 1);
    expect(new WordMerger(table).merge(ids, ends, length)).toBe(1);
    expect([ids[0], ends[0]]).toEqual([20, length]);
  });
});

const cutBy = (expression: string): PreTokenizer =>
  PreTokenizer.from({
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: expression }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    ],
  }) as PreTokenizer;

describe('cutting into words', () => {
  it.each(Object.entries(SPLITS))('takes linear time on long runs: %s', (_, expression) => {
    const splitter = cutBy(expression);
    for (const unit of ['a', 'A', ' ', '\t ', '\n', '\r\n ', '1', '.', '. ', "'", '中', 'ー', '\u0301', ' a', '/']) {
      const text = unit.repeat(1 << 18);
      let covered = 0;
      splitter.split(text, (start, end) => {
        if (start !== covered) throw new Error(`a gap at ${covered}`);
        covered = end;
      });
      expect(covered).toBe(text.length);
    }
  });
});

describe('what is another kind of tokenizer', () => {
  const plain = byteTokenizerJson();
  const open = (change: JsonObject): unknown =>
    byteLevelCodec({ ...plain, ...change }, byteTokenizer().addedTokens, 'tokenizer.json', () => {
      throw new Error('not needed');
    });

  it('is left to the library', () => {
    expect(open({})).not.toBeNull();
    const model = plain.model as JsonObject;
    const step = plain.pre_tokenizer as JsonObject;
    const changes: JsonObject[] = [
      { model: { ...model, type: 'Unigram' } },
      { model: { ...model, byte_fallback: true } },
      { model: { ...model, dropout: 0.1 } },
      { model: { ...model, merges: [['a', 'nowhere']] } },
      { model: { ...model, vocab: { a: -1 } } },
      { normalizer: { type: 'Lowercase' } },
      { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Prepend', prepend: 'x' }] } },
      { pre_tokenizer: null },
      { pre_tokenizer: { ...step, add_prefix_space: true } },
      {
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated' }, step],
        },
      },
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [step, { type: 'Digits', individual_digits: true }] } },
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Whitespace' }, step] } },
      {
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ type: 'Split', pattern: { String: 'a' }, behavior: 'Removed' }, step],
        },
      },
      { post_processor: { type: 'RobertaProcessing' } },
      { decoder: { type: 'Metaspace' } },
      { added_tokens: [{ id: 0, content: '<s>', lstrip: true }] },
    ];
    for (const change of changes) expect(open(change), JSON.stringify(change).slice(0, 120)).toBeNull();
  });
});
