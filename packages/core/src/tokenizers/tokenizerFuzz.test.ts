/** tokenizer.json as nobody should have written it: texts get ids that exist, the library's own, or it is refused by a UserError. */
import { UserError } from '@anneal/formats/errors';
import type { JsonObject } from '@anneal/formats/json';
import { SPLITS } from '@anneal/formats/tokenizer/splits';
import { test } from 'vitest';
import { byteTokenizerJson } from '../../test/byteTokenizer.ts';
import { type Choices, fuzz, type Place, placesIn, replacedAt } from '../../test/fuzz.ts';
import { withConfiguredTokens } from './configuredTokens.ts';
import { libraryCodec } from './libraryCodec.ts';
import { openTokenizer } from './tokenizer.ts';

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const split = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });

/** Byte-level BPE with merges, which is read here. */
function mergingJson(): JsonObject {
  const json = byteTokenizerJson();
  const { vocab, ...model } = json['model'] as JsonObject;
  const merges = ['a b', 'Ġ a', 'ab ab', 'Ġa b', 'Ã ©'];
  const merged = Object.fromEntries(merges.map((merge, i) => [merge.replace(' ', ''), 260 + i]));
  const model2 = { ...model, vocab: { ...(vocab as JsonObject), ...merged }, merges };
  return { ...json, truncation: null, normalizer: { type: 'NFC' }, pre_tokenizer: byteLevel, model: model2 };
}

const words = ['[UNK]', 'a', 'b', 'ab', '##b', '▁a', '▁', 'é', '<s>'];
const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
const plain = { version: '1.0', added_tokens: [{ id: 8, content: '<s>', special: true }], normalizer: null };
/** Models that only the library reads. */
const others: readonly JsonObject[] = [
  {
    ...plain,
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 9,
      vocab,
    },
  },
  {
    ...plain,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: { type: 'Unigram', unk_id: 0, byte_fallback: false, vocab: words.map((word, i) => [word, -i]) },
  },
  { ...plain, pre_tokenizer: { type: 'Whitespace' }, model: { type: 'WordLevel', unk_token: '[UNK]', vocab } },
];

const numbers = [-1, 0, 1, 3, 259, 260, 264, 265, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 0.5, 1e300];
const steps = [
  { type: 'NFC' },
  { type: 'NFKC' },
  { type: 'Lowercase' },
  { type: 'Prepend', prepend: '▁' },
  { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  { type: 'Digits', individual_digits: true },
  { type: 'ByteFallback' },
  { type: 'Fuse' },
  { type: 'Strip', content: ' ', start: 1, stop: 0 },
  byteLevel,
  split(SPLITS.llama3),
  split(SPLITS.qwen2),
  split('(a+)+b'),
  split('['),
  {
    type: 'Sequence',
    normalizers: [{ type: 'NFC' }],
    pretokenizers: [byteLevel],
    decoders: [],
    processors: [byteLevel],
  },
];
const strings = ['', 'a', 'ab', ' ', 'Ġ', 'é', '\ud800', '\u0000', 'ByteLevel', 'Left', 'Isolated'];
const values: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  [],
  {},
  [null],
  ['a', 'b'],
  ...strings,
  ...numbers,
  ...steps,
];
const texts = [
  '',
  'ab',
  'abab  ab\n',
  ' a',
  'é e\u0301 😀',
  '<s>a<|im_end|> ',
  "don't 123 你好",
  '\ud800x',
  'a\u0000b\u200d',
];

/** One or two places with other values, most of them of the same kind. */
function changed(json: JsonObject, { below, of }: Choices): JsonObject {
  let other = json;
  for (let change = below(2); change >= 0; change--) {
    // Most places are tokens of the vocabulary.
    const places = placesIn(other).filter((place) => place[1] !== 'vocab' || below(40) === 0);
    const place = of(places);
    const at = (where: Place): unknown => where.reduce<unknown>((value, key) => (value as JsonObject)[key], other);
    const kinds: Readonly<Record<string, readonly unknown[]>> = {
      boolean: [true, false],
      number: numbers,
      string: strings,
    };
    const alike = kinds[typeof at(place)] ?? [null, ...steps];
    other = replacedAt(other, place, of([() => of(alike), () => of(alike), () => of(values), () => at(of(places))])());
  }
  return other;
}

/** A change may leave no object, which is a file as well. */
async function read(choose: Choices): Promise<void> {
  const { below, of } = choose;
  const isOther = below(10) === 0;
  const tokenizerJson = changed(isOther ? of(others) : of([byteTokenizerJson, mergingJson])(), choose);
  const tokenizerConfig = {
    bos_token: below(20) === 0 ? of(values) : of(['<s>', 'a', { content: '<s>' }, null, ...strings]),
    eos_token: below(20) === 0 ? of(values) : of(['a', 'b', { content: 'a' }, null]),
    chat_template: below(20) === 0 ? of(values) : null,
  };
  const text = of(texts);
  const tokenizer = openTokenizer({ tokenizerJson, tokenizerConfig: tokenizerConfig as JsonObject });
  const encoded = await tokenizer.encodeWithSpecial(text);
  encoded.ids.forEach((id, i) => {
    const [start, end] = [encoded.starts[i] as number, encoded.ends[i] as number];
    const isRight = tokenizer.tokenText(id) !== null && 0 <= start && start <= end && end <= text.length;
    if (!isRight) throw new Error(`${text}: token ${i} has the id ${id} and stands at ${start} … ${end}`);
  });
  const decoded = await tokenizer.decode(encoded.ids);
  if (isOther || below(4) > 0) return;
  const library = libraryCodec(
    withConfiguredTokens(tokenizerJson, tokenizerConfig as JsonObject, 'tokenizer.json'),
    tokenizer.addedTokens,
    'tokenizer.json',
  );
  const [right] = await library.encode([text], true).catch(asRefused);
  const rightText = await library.decode(encoded.ids, false).catch(asRefused);
  if (!right || rightText.length === 0) return;
  if (String(right.ids) !== String(encoded.ids)) throw new Error(`${encoded.ids}, in the library ${right.ids}`);
  if (rightText !== decoded) throw new Error(`${decoded}, in the library ${String(rightText)}`);
}

/** What we read and the library refuses is no matter here. */
function asRefused(error: unknown): never[] {
  if (error instanceof UserError) return [];
  throw error;
}

test('tokenizer', { timeout: 100_000_000 }, async () => {
  await fuzz('tokenizer', 150, { read: 0.25, tokenizer_invalid: 0 }, read);
});
