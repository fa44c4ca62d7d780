/**
 * The tokenizers library panicked on expressions that backtrack, on prefixes it cuts merges by, on a post-processor with a
 * token it does not list, and on a known expression over a text of millions of blanks: the whole process ended.
 */
import { UserError } from '@anneal/formats/errors';
import type { JsonObject } from '@anneal/formats/json';
import { expect, it } from 'vitest';
import { openTokenizer, type Tokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';

const bpe = { type: 'BPE', vocab: { a: 0, b: 1, ab: 2, ' ': 3 }, merges: [['a', 'b']] };
const open = (parts: JsonObject): Tokenizer =>
  openTokenizer({ tokenizerJson: { version: '1.0', added_tokens: [], model: bpe, ...parts }, tokenizerConfig: {} });
const cutBy = (Regex: string): JsonObject => ({
  pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
});
const text = { Sequence: { id: 'A', type_id: 0 } };

const around = (decoder: JsonObject | null): JsonObject => ({
  decoder,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '[X]', type_id: 0 } }, text],
    pair: [],
    special_tokens: { '[X]': { id: '[X]', ids: [99], tokens: ['[X]'] } },
  },
});

it.each([
  ['an expression that backtracks', cutBy('(a+)+(?=c)|b'), `${'a'.repeat(40)}!`, /retry-limit-in-match/],
  [
    'a known expression over many blanks',
    cutBy('\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'),
    `${' '.repeat(11_000_000)}x`,
    /retry-limit-in-match/,
  ],
  [
    'a token that the post-processor does not list',
    {
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '[X]', type_id: 0 } }, text],
        pair: [],
        special_tokens: {},
      },
    },
    'ab',
    /no entry found for key/,
  ],
  [
    'a prefix longer than the token',
    { model: { ...bpe, vocab: { a: 0, é: 1, aé: 2 }, merges: [['a', 'é']], continuing_subword_prefix: '#' } },
    'a',
    /char boundary|out of/,
  ],
] as const)('%s ends no process but its own', async (_, parts, sample, reason) => {
  const tokenizer = open(parts);
  const error = await tokenizer.encodeWithSpecial(sample).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).what).toMatch(reason);
  expect((error as UserError).code).toMatch(/^tokenizer_(failed|invalid)$/);
});

it('goes on with the next text', async () => {
  const tokenizer = open(cutBy('(a+)+(?=c)|b'));
  await expect(tokenizer.encode(`${'a'.repeat(40)}!`)).rejects.toThrow(UserError);
  expect([...(await tokenizer.encode('b')).ids]).toEqual([1]);
});

it('an id that no token has is refused, by both readers', async () => {
  expect(() => open(around({ type: 'ByteLevel' }))).toThrow('adds the id 99, which no token has');
  await expect(open(around(null)).encodeWithSpecial('ab')).rejects.toThrow('the id 99, which no token has');
});
