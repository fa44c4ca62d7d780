/**
 * `rope_parameters` nested by layer type were passed over, and the model got the usual base of 10,000 without a word; a GGUF file
 * that names no rules for splitting text got others than its model was made with; `pad_token_id: -1` and a padding token beyond
 * the embedding were refused, though neither changes anything. An end token that the vocabulary does not have, and a config.json that calls
 * weights quantized which are not, were taken without a word.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ggufMetadata } from '../packages/core/src/export/ggufMetadata.ts';
import { openModelText } from '../packages/core/src/generate/modelText.ts';
import { Fields } from '../packages/core/src/models/fields.ts';
import { type OpenModel, openModel } from '../packages/core/src/models/open.ts';
import { readRopes } from '../packages/core/src/models/readRope.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { tokenizerFromGguf } from '../packages/formats/src/gguf/tokenizer.ts';

type Json = Record<string, unknown>;

function edit(path: string, change: (json: Json) => Json): void {
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Json)));
}

function tinyModel(changes: Record<string, (json: Json) => Json>): OpenModel {
  const folder = writeTinyModel(temporaryFolder());
  for (const [name, change] of Object.entries(changes)) edit(join(folder, name), change);
  return openModel(folder);
}

const rope = (config: Json) =>
  readRopes(new Fields(config, 'config.json'), { headSize: 64, maxPositions: 64 }, {}).rope;
const theta = (rope_theta: number) => ({ rope_type: 'default', rope_theta });

test('rope_parameters by layer type', () => {
  const nested = { full_attention: theta(500_000), sliding_attention: theta(500_000) };
  expect(rope({ rope_parameters: nested }).theta).toBe(500_000);
  const different = { full_attention: theta(1e6), sliding_attention: theta(1e4) };
  expect(() => rope({ rope_parameters: different })).toThrow(/differ between full_attention and sliding_attention/);
  expect(rope({ rope_parameters: different, layer_types: ['full_attention'] }).theta).toBe(1e6);
  const missing = { rope_parameters: { full_attention: theta(1e6) }, layer_types: ['sliding_attention'] };
  expect(() => rope(missing)).toThrow(/with the key sliding_attention/);
});

test('a token id of -1 is none', () => {
  const model = tinyModel({ 'config.json': (json) => ({ ...json, pad_token_id: -1 }) });
  model.close();
  expect(model.config.padTokenId).toBeNull();
  expect(() => tinyModel({ 'config.json': (json) => ({ ...json, pad_token_id: -2 }) })).toThrow(/must be a token id/);
});

test.each([260, [3, 999_999]])('an end token beyond the vocabulary is refused: %j', (eos_token_id) => {
  const inBoth = ['config.json', 'generation_config.json'].map((name) => () => {
    const folder = writeTinyModel(temporaryFolder());
    const path = join(folder, name);
    const json = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
    writeFileSync(path, JSON.stringify({ ...json, eos_token_id, ...(name === 'config.json' && { vocab_size: 260 }) }));
    return openModel(folder);
  });
  for (const open of inBoth) expect(open).toThrow(/eos_token_id must be a token id or a list of token ids below/);
});

test('a config.json that calls plain weights quantized is refused', () => {
  const quantization_config = { quant_method: 'bitsandbytes', load_in_4bit: true };
  const open = () => tinyModel({ 'config.json': (json) => ({ ...json, quantization_config }) });
  expect(open).toThrow(/says that the weights are in NF4 \(bitsandbytes\), but no tensor/);
});

test('a GGUF file that does not say how text is split is refused', () => {
  const model = tinyModel({ 'tokenizer.json': withRulesOfGpt2 });
  const metadata = ggufMetadata(model, 'tiny', 0);
  model.close();
  expect(() => tokenizerFromGguf(metadata, 'tiny.gguf')).not.toThrow();
  metadata.delete('tokenizer.ggml.pre');
  expect(() => tokenizerFromGguf(metadata, 'tiny.gguf')).toThrow(/does not say by which rules/);
});

const withRulesOfGpt2 = (json: Json): Json => ({
  ...json,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
});

const PAD = '<|padding|>';

function withExtraToken(rows: number) {
  const token = { id: rows, content: PAD, special: true, single_word: false, lstrip: false, rstrip: false };
  return (json: Json): Json => ({
    ...withRulesOfGpt2(json),
    added_tokens: [...(json['added_tokens'] as unknown[]), { ...token, normalized: false }],
  });
}

test('a token beyond the embedding that nothing uses does no harm', () => {
  const plain = tinyModel({});
  plain.close();
  const tokenizer = withExtraToken(plain.config.vocabSize);
  const padded = (json: Json): Json => ({ ...json, pad_token: PAD });
  const model = tinyModel({ 'tokenizer.json': tokenizer, 'tokenizer_config.json': padded });
  const text = openModelText(model);
  expect(text.tokenizer.withoutRow).toMatchObject([{ text: PAD, id: plain.config.vocabSize }]);
  const tokens = ggufMetadata(model, 'tiny', 0).get('tokenizer.ggml.tokens')?.value as string[];
  expect(tokens).toHaveLength(model.config.vocabSize);
  expect(tokens).not.toContain(PAD);
  model.close();

  const asEnd = tinyModel({
    'tokenizer.json': tokenizer,
    'tokenizer_config.json': (json) => ({ ...json, eos_token: PAD }),
  });
  expect(() => openModelText(asEnd)).toThrow(/and <\|padding\|> is used/);
  asEnd.close();
});
