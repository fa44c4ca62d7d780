/**
 * Tokens that tokenizer_config.json, special_tokens_map.json or added_tokens.json name and tokenizer.json does not were cut into pieces
 * in rows, flags such as `rstrip` that differ there did not hold, an end token of special_tokens_map.json was not the one trained, and
 * `split_special_tokens`, a dropout of BPE and another `add_prefix_space` were left aside without a word. transformers heeds them all.
 * Later added_tokens.json took tokens of tokenizer.json their flags, and a named token with `special: false` stayed a text, and
 * `add_prefix_space` was compared one way only: transformers takes no space, where tokenizer.json has one and the configuration does not.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModelTokenizer } from '../packages/core/src/generate/modelText.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { openTokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';
import { tokensWithoutRow } from '../packages/core/src/tokenizers/tokensWithoutRow.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const STARTER = join(import.meta.dirname, '../apps/agent/starter/model');

interface Changes {
  readonly config?: Record<string, unknown>;
  readonly files?: Record<string, unknown>;
  readonly json?: (tokenizer: any) => void;
}

function changed({ config = {}, files = {}, json = () => {} }: Changes): string {
  const folder = temporaryFolder();
  cpSync(STARTER, folder, { recursive: true });
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const tokenizer = read('tokenizer.json');
  json(tokenizer);
  const all = { 'tokenizer.json': tokenizer, ...files };
  for (const [name, value] of Object.entries({
    ...all,
    'tokenizer_config.json': { ...read('tokenizer_config.json'), ...config },
  })) {
    writeFileSync(join(folder, name), JSON.stringify(value));
  }
  return folder;
}

const EXTRA = {
  content: '<|extra|>',
  lstrip: false,
  normalized: false,
  rstrip: false,
  single_word: false,
  special: true,
};
const IDS = [1280, 867]; // of transformers 5.17

test.each<[string, Changes]>([
  ['added_tokens_decoder', { config: { added_tokens_decoder: { 1280: EXTRA } } }],
  ['additional_special_tokens', { config: { additional_special_tokens: ['<|extra|>'] } }],
  ['extra_special_tokens', { config: { extra_special_tokens: { name_token: '<|extra|>' } } }],
  ['added_tokens.json', { files: { 'added_tokens.json': { '<|extra|>': 1280 } } }],
])('a token of %s', async (_, changes) => {
  const folder = changed(changes);
  const model = openModel(folder);
  for (const tokenizer of [openTokenizer(folder), openModelTokenizer(model)]) {
    expect([...(await tokenizer.encode(' plain<|extra|> end')).ids].slice(-2)).toEqual(IDS);
    expect(tokenizer.idOf('<|extra|>')).toBe(1280);
    expect(tokenizer.fingerprint).not.toBe(openTokenizer(STARTER).fingerprint);
  }
  // The model has 1280 rows: nothing in a row may hold the token.
  expect(tokensWithoutRow(model)).toEqual(['<|extra|>']);
  expect(openModelTokenizer(model).withoutRow).toMatchObject([{ text: '<|extra|>' }]);
});

test('the end token of special_tokens_map.json, where the configuration has no added_tokens_decoder', () => {
  const map = { 'special_tokens_map.json': { eos_token: '<|endoftext|>' } };
  for (const folder of [changed({ files: map }), changed({ files: map, config: { eos_token: undefined } })]) {
    expect(openTokenizer(folder).eos).toEqual({ id: 0, text: '<|endoftext|>' });
    expect(openModelTokenizer(openModel(folder)).eos).toEqual({ id: 0, text: '<|endoftext|>' });
  }
  const newer = changed({ files: map, config: { added_tokens_decoder: {} } });
  expect(openTokenizer(newer).eos).toMatchObject({ id: 2 });
});

test('flags of the configuration', async () => {
  const end = { ...EXTRA, content: '<|im_end|>', rstrip: true };
  const tokenizer = openTokenizer(changed({ config: { added_tokens_decoder: { 2: end } } }));
  const { ids } = await tokenizer.encode('Hello <|im_end|> world');
  expect([...ids]).toEqual([1193, 36, 2, 123, 293, 349]);
});

test('a token of the vocabulary that is named as special', async () => {
  const tokenizer = openTokenizer(
    changed({ json: (json) => (json.added_tokens = json.added_tokens.filter(({ id }: { id: number }) => id !== 2)) }),
  );
  expect([...(await tokenizer.encode('a<|im_end|>')).ids].at(-1)).toBe(2);
});

test('added_tokens.json leaves the flags of tokens that tokenizer.json has', async () => {
  const assistant = { ...EXTRA, content: '<|assistant|>', id: 1280, rstrip: true };
  const json = ({ added_tokens: tokens }: any) => tokens.push(assistant);
  const tokenizer = openTokenizer(changed({ json, files: { 'added_tokens.json': { '<|assistant|>': 1280 } } }));
  expect(tokenizer.fingerprint).toBe(openTokenizer(changed({ json })).fingerprint);
  expect([...(await tokenizer.encode('a<|assistant|>  b')).ids]).toEqual([101, 1280, 102]);
});

const PLAIN_END = { ...EXTRA, content: '<|im_end|>', special: false };
const plainEnd = ({ added_tokens: tokens }: any) => tokens.splice(2, 1, { ...PLAIN_END, id: 2 });

test.each<[string, Changes]>([
  ['added_tokens_decoder', { config: { added_tokens_decoder: { 2: PLAIN_END } } }],
  ['tokenizer.json', { json: plainEnd }],
])('a token that is named is special, also where %s says otherwise', (_, changes) => {
  expect(openTokenizer(changed(changes)).addedTokens).toEqual(openTokenizer(STARTER).addedTokens);
});

test('nothing changes where the files agree', () => {
  const { added_tokens: tokens } = JSON.parse(readFileSync(join(STARTER, 'tokenizer.json'), 'utf8'));
  const decoder = Object.fromEntries(tokens.map(({ id, ...rest }: any) => [id, rest]));
  const tokenizer = openTokenizer(changed({ config: { added_tokens_decoder: decoder } }));
  expect(tokenizer.vocabSize).toBe(1280);
  expect(tokenizer.fingerprint).toBe(openTokenizer(changed({})).fingerprint);
});

const prefixed = (json: any): void => {
  json.pre_tokenizer = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
};

test.each<[string, Changes]>([
  ['split_special_tokens', { config: { split_special_tokens: true } }],
  ['dropout', { json: (json) => (json.model.dropout = 0.1) }],
  ['add_prefix_space is true', { config: { tokenizer_class: 'GPT2Tokenizer', add_prefix_space: true } }],
  ...[false, undefined].map((configured): [string, Changes] => [
    'add_prefix_space is not true',
    { config: { tokenizer_class: 'GPT2Tokenizer', add_prefix_space: configured }, json: prefixed },
  ]),
  [
    'add_prefix_space is not true',
    {
      config: { tokenizer_class: 'Qwen2Tokenizer' },
      json: (json) => {
        prefixed(json);
        json.pre_tokenizer = { type: 'Sequence', pretokenizers: [json.pre_tokenizer] };
      },
    },
  ],
])('%s is refused', (setting, changes) => {
  expect(() => openTokenizer(changed(changes))).toThrow(
    expect.objectContaining({ what: expect.stringContaining(setting) }),
  );
});

test('add_prefix_space that both files say, or that the class takes from tokenizer.json, is no contradiction', () => {
  const takes = { tokenizer_class: 'GPT2Tokenizer', add_prefix_space: true };
  const leaves = { tokenizer_class: 'PreTrainedTokenizerFast', add_prefix_space: false };
  for (const config of [takes, leaves]) expect(() => openTokenizer(changed({ config, json: prefixed }))).not.toThrow();
});
