import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { Tokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import type { GgufMetadata, GgufValue } from '../src/gguf/metadata.ts';
import { metadataStrings } from '../src/gguf/metadata.ts';
import { mergesFromScores, scoresFromMerges } from '../src/gguf/tokenizer/merges.ts';
import { formatPreTokenizer, preTokenizerNamed } from '../src/gguf/tokenizer/preTokenizers.ts';
import { tokenizerFromGguf, tokenizerToGguf } from '../src/gguf/tokenizer.ts';
import type { JsonObject } from '../src/json.ts';
import { userError } from './helpers.ts';

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/pre_tokenizers.json'), 'utf8')) as {
  families: Record<string, { normalizer: unknown; pre_tokenizer: unknown; ignore_merges: boolean }>;
};
const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const TEXTS = [
  'Hello there, the price is 1234.50 dollars!',
  " I'VE  don't\n\n  know\t你好世界 e\u0301 é",
  '<|im_start|>user\nthe  the<|im_end|>\n<tool>x</tool>',
  '',
];

/** GPT-2's 256 characters for bytes, by code point: printable ones stand for themselves, the rest follow from 256 on. */
function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(isPrintable ? byte : next++);
  });
}

function addedToken(id: number, content: string, special: boolean) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

/** Bytes, a few merges, two control tokens and a user-defined one: everything a real one has, in small. */
function byteLevelTokenizer(parts: JsonObject = {}, model: JsonObject = {}): JsonObject {
  const merges = ['t h', 'th e', 'Ġ the', 'l l', 'Ġ Ġ', '1 2', '12 3', '123 4'];
  const tokens = [...byteCharacters(), ...merges.map((merge) => merge.replace(' ', ''))];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ['<|im_start|>', '<|im_end|>', '<tool>'].map((text, i) => addedToken(tokens.length + i, text, i < 2)),
    normalizer: null,
    pre_tokenizer: BYTE_LEVEL,
    post_processor: null,
    decoder: BYTE_LEVEL,
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges, ...model },
    ...parts,
  };
}

/** A post-processor that puts a token before every text. */
function template(token: string, id: number): JsonObject {
  return {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

function strings(...value: string[]): GgufValue {
  return { type: 'array', items: 'string', value };
}

const CONFIG = { bos_token: '<|im_start|>', eos_token: { content: '<|im_end|>' }, chat_template: '{{ messages }}' };

/** Pieces of SentencePiece as Llama 2 has them, scored by their place. */
function sentencePieceMetadata(changes: [string, GgufValue][] = []): GgufMetadata {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const merged = ['▁t', 'he', '▁the', 'll', '▁▁', 'el', 'ell'];
  const characters = [...'▁thelo,wrdHix'];
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...merged, ...characters, '<|user|>'];
  const types = tokens.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : id === tokens.length - 1 ? 4 : 1));
  const scores = tokens.map((_, id) => (id < 259 ? 0 : 259 - id));
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.tokens', { type: 'array', items: 'string', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'array', items: 'int32', value: Int32Array.from(types) }],
    ['tokenizer.ggml.scores', { type: 'array', items: 'float32', value: Float32Array.from(scores) }],
    ['tokenizer.ggml.bos_token_id', { type: 'uint32', value: 1 }],
    ['tokenizer.ggml.eos_token_id', { type: 'uint32', value: 2 }],
    ['tokenizer.ggml.unknown_token_id', { type: 'uint32', value: 0 }],
    ...changes,
  ]);
}

async function encode(tokenizerJson: JsonObject, text: string): Promise<number[]> {
  const encoding = await Tokenizer.fromString(JSON.stringify(tokenizerJson)).encode(text);
  return Array.from(encoding.getIds());
}

const size = (tokenizerJson: JsonObject) =>
  Object.keys((tokenizerJson.model as { vocab: object }).vocab).length +
  (tokenizerJson.added_tokens as unknown[]).length;

describe('byte-level BPE', () => {
  it.each(Object.entries(golden.families))('%s goes to GGUF and back with the same ids', async (pre, family) => {
    const { ignore_merges, ...parts } = family;
    const original = byteLevelTokenizer(parts, { ignore_merges });
    const vocabSize = size(original) + 3; // the embedding has rows to spare
    const metadata = tokenizerToGguf({ tokenizerJson: original, tokenizerConfig: CONFIG, vocabSize, path: 'x' });
    expect(metadata.get('tokenizer.ggml.pre')).toEqual({ type: 'string', value: pre });
    const { tokenizerJson, tokenizerConfig } = tokenizerFromGguf(metadata, 'x');
    expect(tokenizerConfig).toMatchObject({
      bos_token: '<|im_start|>',
      eos_token: '<|im_end|>',
      pad_token: null,
      add_bos_token: false,
      chat_template: '{{ messages }}',
    });
    for (const text of TEXTS) expect(await encode(tokenizerJson, text)).toEqual(await encode(original, text));
    // Splitting is what tells the families apart: make sure the texts would notice.
    const { pre_tokenizer } = formatPreTokenizer(preTokenizerNamed(pre === 'gpt-2' ? 'smollm' : 'gpt-2', 'x'));
    const words = TEXTS.map((text) => encode({ ...tokenizerJson, pre_tokenizer }, text));
    expect(await Promise.all(words)).not.toEqual(await Promise.all(TEXTS.map((text) => encode(original, text))));
  });

  it('writes what llama.cpp expects', () => {
    const original = byteLevelTokenizer();
    const count = size(original);
    const metadata = tokenizerToGguf({
      tokenizerJson: original,
      tokenizerConfig: CONFIG,
      vocabSize: count + 2,
      path: 'x',
    });
    expect([...metadata.keys()]).toEqual([
      'tokenizer.ggml.model',
      'tokenizer.ggml.pre',
      'tokenizer.ggml.tokens',
      'tokenizer.ggml.token_type',
      'tokenizer.ggml.merges',
      'tokenizer.ggml.bos_token_id',
      'tokenizer.ggml.eos_token_id',
      'tokenizer.ggml.add_bos_token',
      'tokenizer.ggml.add_eos_token',
      'tokenizer.chat_template',
    ]);
    const tokens = metadata.get('tokenizer.ggml.tokens')?.value as string[];
    expect(tokens.slice(-5)).toEqual(['<|im_start|>', '<|im_end|>', '<tool>', `[PAD${count}]`, `[PAD${count + 1}]`]);
    expect(Array.from(metadata.get('tokenizer.ggml.token_type')?.value as Int32Array).slice(-6)).toEqual([
      1, 3, 3, 4, 5, 5,
    ]);
    expect(metadata.get('tokenizer.ggml.eos_token_id')?.value).toBe(count - 2);
  });

  it('keeps the tokens that the post-processor adds', async () => {
    const start = byteLevelTokenizer({ post_processor: template('<|im_start|>', 264) });
    const request = { tokenizerConfig: CONFIG, vocabSize: size(start), path: 'x' };
    const metadata = tokenizerToGguf({ ...request, tokenizerJson: start });
    expect(metadata.get('tokenizer.ggml.add_bos_token')?.value).toBe(true);
    expect(await encode(tokenizerFromGguf(metadata, 'x').tokenizerJson, 'the')).toEqual([264, 257]);
    const other = byteLevelTokenizer({ post_processor: template('<tool>', 266) });
    expect(userError(() => tokenizerToGguf({ ...request, tokenizerJson: other })).what).toContain('adds <tool>');
  });

  it('keeps chat templates with names', () => {
    const chat_template = [
      { name: 'default', template: 'A' },
      { name: 'tool_use', template: 'B' },
    ];
    const tokenizerJson = byteLevelTokenizer();
    const request = {
      tokenizerJson,
      tokenizerConfig: { ...CONFIG, chat_template },
      vocabSize: size(tokenizerJson),
      path: 'x',
    };
    const metadata = tokenizerToGguf(request);
    expect(metadata.get('tokenizer.chat_template.tool_use')?.value).toBe('B');
    expect(tokenizerFromGguf(metadata, 'x').tokenizerConfig.chat_template).toEqual(chat_template);
  });

  it.each([
    ['WordPiece', { model: { type: 'WordPiece' } }, 'its model is not BPE'],
    [
      'another splitting',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Whitespace' }, BYTE_LEVEL] } },
      'its pre_tokenizer {"type":"Sequence","pretokenizers":[{"type":"Whitespace"}',
    ],
    ['a space in front', { pre_tokenizer: { ...BYTE_LEVEL, add_prefix_space: true } }, '"add_prefix_space":true'],
    ['lower-casing', { normalizer: { type: 'Lowercase' } }, 'its normalizer'],
    ['stripping', { added_tokens: [{ ...addedToken(264, '<a>', true), rstrip: true }] }, '"<a>" has rstrip'],
    ['an id twice', { added_tokens: [addedToken(5, '<a>', true)] }, 'two tokens have the id 5'],
    ['an id too high', { added_tokens: [addedToken(999, '<a>', true)] }, 'has id 999, the model 267 rows'],
    ['a missing role', { added_tokens: [] }, 'bos_token "<|im_start|>" is not in the vocabulary'],
  ])('%s cannot be exported', (_, parts, message) => {
    const request = {
      tokenizerJson: byteLevelTokenizer(parts),
      tokenizerConfig: CONFIG,
      vocabSize: 267,
      path: 'model/tokenizer.json',
    };
    const error = userError(() => tokenizerToGguf(request));
    expect(error).toMatchObject({ code: 'tokenizer_unknown_to_gguf', where: 'model/tokenizer.json' });
    expect(error.what).toContain(message);
  });

  const original = byteLevelTokenizer();
  const valid = tokenizerToGguf({
    tokenizerJson: original,
    tokenizerConfig: CONFIG,
    vocabSize: size(original),
    path: 'x',
  });
  it.each<[string, string, GgufValue | undefined]>([
    ['gguf_tokenizer_unsupported', 'tokenizer.ggml.model', { type: 'string', value: 'constructor' }],
    ['gguf_pre_tokenizer_unknown', 'tokenizer.ggml.pre', { type: 'string', value: 'falcon' }],
    ['gguf_tokenizer_invalid', 'tokenizer.ggml.merges', strings('t q q')],
    ['gguf_tokenizer_invalid', 'tokenizer.ggml.merges', strings('th ll')],
    ['gguf_tokenizer_invalid', 'tokenizer.ggml.merges', undefined],
    ['gguf_tokenizer_invalid', 'tokenizer.ggml.tokens', strings('a', 'b')],
    ['gguf_tokenizer_invalid', 'tokenizer.ggml.token_type', undefined],
    ['gguf_tokenizer_invalid', 'tokenizer.ggml.eos_token_id', { type: 'uint32', value: 9999 }],
    ['gguf_metadata_type', 'tokenizer.ggml.add_bos_token', { type: 'uint8', value: 1 }],
  ])('%s when %s is wrong', (code, key, value) => {
    const metadata = new Map(valid);
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
    expect(userError(() => tokenizerFromGguf(metadata, 'x'))).toMatchObject({ code });
  });
});

describe('SentencePiece', () => {
  it('becomes BPE with byte fallback that reads text as llama.cpp does', async () => {
    const { tokenizerJson } = tokenizerFromGguf(sentencePieceMetadata(), 'x');
    const { vocab } = tokenizerJson.model as { vocab: Record<string, number> };
    const pieces = async (text: string) => {
      const names = Object.entries(vocab);
      return (await encode(tokenizerJson, text)).map((id) => names.find(([, other]) => other === id)?.[0]);
    };
    expect(await pieces('the hello')).toEqual(['<s>', '▁the', '▁', 'he', 'll', 'o']);
    expect(await pieces('é')).toEqual(['<s>', '▁', '<0xC3>', '<0xA9>']);
    expect(await pieces('<|user|>the</s>')).toEqual(['<s>', '<|user|>', '▁the', '</s>']);
  });

  it('of gemma4 has its merges in the file, and joins in their order, whatever the scores', async () => {
    const merges = ['h e', 'l l', '▁ t', '▁t he'];
    const { tokenizerJson } = tokenizerFromGguf(
      sentencePieceMetadata([
        ['tokenizer.ggml.model', { type: 'string', value: 'gemma4' }],
        ['tokenizer.ggml.merges', { type: 'array', items: 'string', value: merges }],
        ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: false }],
      ]),
      'x',
    );
    const { vocab } = tokenizerJson.model as { vocab: Record<string, number> };
    const ids = await encode(tokenizerJson, 'hell the');
    expect(ids).toEqual(['<s>', 'he', 'll', '▁the'].map((piece) => vocab[piece]));
    const wrong = sentencePieceMetadata([
      ['tokenizer.ggml.merges', { type: 'array', items: 'string', value: ['h x'] }],
    ]);
    expect(() => tokenizerFromGguf(wrong, 'x')).toThrow('the merge "h x" is not of two tokens that make a third');
  });

  it.each([true, false])('goes back to GGUF with the same ids (space in front: %s)', async (prefix) => {
    const metadata = sentencePieceMetadata([['tokenizer.ggml.add_space_prefix', { type: 'bool', value: prefix }]]);
    const first = tokenizerFromGguf(metadata, 'x');
    const vocabSize = metadataStrings(metadata, 'tokenizer.ggml.tokens', 'x')?.length as number;
    const again = tokenizerToGguf({ ...first, vocabSize, path: 'x' });
    for (const key of ['model', 'tokens', 'token_type', 'bos_token_id', 'unknown_token_id', 'add_space_prefix']) {
      expect(again.get(`tokenizer.ggml.${key}`)).toEqual(metadata.get(`tokenizer.ggml.${key}`));
    }
    expect(tokenizerFromGguf(again, 'x').tokenizerJson).toEqual(first.tokenizerJson);
  });

  it.each([
    ['always', true, true],
    ['never', true, false],
    ['first', true, false],
    ['first', false, true],
  ])('Metaspace %s, with a chat template: %s, puts a space in front: %s', (prepend_scheme, hasTemplate, expected) => {
    const { tokenizerJson, tokenizerConfig } = tokenizerFromGguf(sentencePieceMetadata(), 'x');
    const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme, split: false };
    const metadata = tokenizerToGguf({
      tokenizerJson: { ...tokenizerJson, normalizer: null, pre_tokenizer: metaspace },
      tokenizerConfig: { ...tokenizerConfig, ...(hasTemplate ? { chat_template: 'x' } : {}) },
      vocabSize: 280,
      path: 'x',
    });
    expect(metadata.get('tokenizer.ggml.add_space_prefix')?.value).toBe(expected);
  });

  it('is refused where its merges cannot be scores', () => {
    const { tokenizerJson, tokenizerConfig } = tokenizerFromGguf(sentencePieceMetadata(), 'x');
    const model = tokenizerJson.model as { merges: [string, string][] };
    const changed = { ...tokenizerJson, model: { ...model, merges: model.merges.slice(1) } };
    const error = userError(() =>
      tokenizerToGguf({ tokenizerJson: changed, tokenizerConfig, vocabSize: 280, path: 'x' }),
    );
    expect(error.what).toContain('its merges cannot be written as scores');
  });
});

describe('merges and scores', () => {
  const pieces = fc.uniqueArray(fc.string({ unit: fc.constantFrom(...'ab▁🦙'), minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 30,
  });

  it('are two forms of the same', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const merges = mergesFromScores(
          list,
          list.map((_, id) => -id),
        );
        const scores = scoresFromMerges(list, merges);
        expect(scores).toBeDefined();
        expect(mergesFromScores(list, Array.from(scores as Float32Array))).toEqual(merges);
      }),
      { seed: 3407, numRuns: 500 },
    );
  });

  it('are not when a merge is missing or another piece comes between', () => {
    const list = ['a', 'b', 'c', 'ab', 'bc', 'abc'];
    const merges: [string, string][] = [
      ['a', 'b'],
      ['b', 'c'],
      ['a', 'bc'],
      ['ab', 'c'],
    ];
    expect(scoresFromMerges(list, merges)).toEqual(Float32Array.of(-3, -3, -3, -0, -1, -2));
    expect(scoresFromMerges(list, merges.slice(0, 3))).toBeUndefined();
    expect(
      scoresFromMerges(list, [
        ['a', 'b'],
        ['a', 'bc'],
        ['b', 'c'],
        ['ab', 'c'],
      ]),
    ).toBeUndefined();
  });
});
