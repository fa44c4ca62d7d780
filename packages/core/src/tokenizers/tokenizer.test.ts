import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { byteTokenizer, byteTokenizerJson } from '../../test/byteTokenizer.ts';
import { decodeStream } from './decodeStream.ts';
import { openTokenizer, type Tokenizer, type TokenizerFiles } from './tokenizer.ts';
import { tokenPieces } from './tokenPieces.ts';

fc.configureGlobal({ seed: 3407 });

const tokenizer = byteTokenizer();
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));

describe('tokenizer', () => {
  it('encodes all of a text, although the file asks for truncation, and decodes it again', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (sample) => {
        const { ids } = await tokenizer.encode(sample);
        expect([...ids]).toEqual([...Buffer.from(sample)].map((byte) => byte + 4));
        expect(await tokenizer.decode(ids)).toBe(sample);
      }),
    );
  });

  it('knows special tokens, vocabulary and template', async () => {
    expect(tokenizer).toMatchObject({
      vocabSize: 260,
      bos: { id: 0, text: '<s>' },
      eos: { id: 3, text: '<|im_end|>' },
      pad: { id: 1 },
      unk: null,
    });
    expect(tokenizer.idOf('<|im_start|>')).toBe(2);
    expect(tokenizer.idOf('nothing')).toBeNull();
    expect(tokenizer.tokenText(4 + 32)).toBe('Ġ');
    expect(tokenizer.tokenText(999)).toBeNull();
    expect([...(await tokenizer.encodeWithSpecial('a<|im_end|>')).ids]).toEqual([0, 4 + 97, 3]);
    expect([...(await tokenizer.encode('a<|im_end|>')).ids]).toEqual([4 + 97, 3]);
    expect(await tokenizer.decode([0, 4 + 97, 3], { skipSpecial: true })).toBe('a');
  });

  it('finds boundaries in UTF-16 positions', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.nat(), async (sample, at) => {
        const encoded = await tokenizer.encode(sample);
        const points = Array.from(sample);
        const before = points.slice(0, at % (points.length + 1)).join('');
        expect(encoded.boundaryAt(before.length)).toBe(Buffer.byteLength(before));
        const first = Buffer.byteLength(before);
        if (before !== sample) {
          expect(sample.slice(encoded.starts[first], encoded.ends[first])).toBe(points[at % (points.length + 1)]);
        }
      }),
    );
  });

  it('knows the bytes of a single token, be they text or not', async () => {
    const pieceOf = tokenPieces(tokenizer);
    expect(await pieceOf(4 + 32)).toEqual({ text: ' ', bytes: [32] });
    expect(await pieceOf(4 + 0xe4)).toEqual({ text: '\uFFFD', bytes: [0xe4] });
    expect(await pieceOf(3)).toEqual({ text: '<|im_end|>', bytes: [...Buffer.from('<|im_end|>')] });
    const words = ['▁the', '<0x0A>', 'ä'];
    const sentences = {
      addedTokens: [],
      tokenText: (id: number) => words[id],
      decode: async ([id]: number[]) => words[id as number],
    };
    const ofSentences = tokenPieces(sentences as unknown as Tokenizer);
    expect(await Promise.all([0, 1, 2].map(ofSentences))).toEqual([
      { text: ' the', bytes: [...Buffer.from(' the')] },
      { text: '\n', bytes: [10] },
      { text: 'ä', bytes: [0xc3, 0xa4] },
    ]);
  });

  it('explains what is missing or broken', () => {
    const folder = temporaryFolder('tokenizer');
    expect(() => openTokenizer(folder)).toThrow(expect.objectContaining({ code: 'tokenizer_missing' }));
    writeFileSync(join(folder, 'tokenizer.json'), '{"model": 1}');
    expect(() => openTokenizer(folder)).toThrow(expect.objectContaining({ code: 'tokenizer_invalid' }));
    expect(() => openTokenizer({ tokenizerJson: 'x', tokenizerConfig: {} })).toThrow(
      expect.objectContaining({ code: 'tokenizer_invalid' }),
    );
  });

  it('takes the default of several templates', () => {
    const templates = [
      { name: 'tool_use', template: 'T' },
      { name: 'default', template: 'D' },
    ];
    expect(byteTokenizer(templates as unknown as string).chatTemplate).toBe('D');
    expect(byteTokenizer(null).chatTemplate).toBeNull();
  });
});

describe('decodeStream', () => {
  it('gives the whole text in pieces that are never part of a character', async () => {
    await fc.assert(
      fc.asyncProperty(
        // A text may hold U+FFFD itself.
        fc.string({ unit: 'grapheme' }).filter((sample) => !sample.includes('\uFFFD')),
        async (sample) => {
          const stream = decodeStream(tokenizer);
          const pieces: string[] = [];
          for (const id of (await tokenizer.encode(sample)).ids) pieces.push(await stream.push(id));
          for (const piece of pieces) expect(piece).not.toContain('\uFFFD');
          expect(pieces.join('') + (await stream.finish())).toBe(sample);
        },
      ),
    );
  });

  it('leaves special tokens out and gives an unfinished character at the end', async () => {
    const stream = decodeStream(tokenizer, { skipSpecial: true });
    const pieces = [];
    for (const id of [2, 4 + 97, 3, 4 + 98, 4 + 0xe4]) pieces.push(await stream.push(id));
    expect(pieces.join('')).toBe('ab');
    expect(await stream.finish()).toBe('\uFFFD');
    expect(await stream.finish()).toBe('');
  });

  it('does not wait forever for what is no character', async () => {
    const stream = decodeStream(tokenizer);
    let seen = '';
    for (let i = 0; i < 8; i++) seen += await stream.push(4 + 0xff);
    expect(seen).toMatch(/^\uFFFD+$/);
  });
});

const openWith = (tokenizerConfig: TokenizerFiles['tokenizerConfig']) =>
  openTokenizer({ tokenizerJson: byteTokenizerJson(), tokenizerConfig });

it('an end that is no token, or special tokens that are no texts, are refused; others that are not there are not needed', () => {
  expect(openWith({ eos_token: '<|im_end|>', pad_token: '[PAD]' })).toMatchObject({
    eos: { text: '<|im_end|>' },
    pad: null,
  });
  expect(() => openWith({ eos_token: '<end>' })).toThrow(/eos_token is "<end>", which is none of its tokens/);
  expect(() => openWith({ bos_token: { content: 7 } })).toThrow(
    /bos_token is \{"content":7\}, which is neither a text/,
  );
});
