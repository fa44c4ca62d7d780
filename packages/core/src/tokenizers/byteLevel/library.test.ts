/** The same ids, ranges and texts as the tokenizers library, for real vocabularies and any text. */
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '@anneal/formats/json';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeWith, peerSmolLm2, peerTokenizer, type TokenizerFamily } from '../../../test/peers.ts';
import type { AddedToken, Codec } from '../codec.ts';
import { readTokenizerFiles } from '../files.ts';
import { libraryCodec } from '../libraryCodec.ts';
import { BYTE_CHARACTERS } from './byteAlphabet.ts';
import { byteLevelCodec } from './byteLevelCodec.ts';
import { DISPUTED_CHARACTER } from './disputedCharacters.ts';

fc.configureGlobal({ seed: 3407 });

const families: readonly TokenizerFamily[] = ['qwen3', 'llama3_1', 'deepseek_v3', 'gptoss'];
const sources: readonly (readonly [string, string | null])[] = [
  ['the starter project', fileURLToPath(import.meta.resolve('../../../../../apps/agent/starter/model'))],
  ['SmolLM2', await peerSmolLm2()],
  ...(await Promise.all(families.map(async (family) => [family, await peerTokenizer(family)] as const))),
];

/** What the rules of pre-tokenizers tell apart, and what Unicode versions, normalization and UTF-16 make difficult. */
const FRAGMENTS =
  "word Word WORD déjà ЖЗИ 训练模型 かな カナ 한국어 ไทย हिन्दी 123 4567890 ٣٤ Ⅷ ½ ' 's 'S 'ſ 'll 'LL 'Re don’t . ... !? /path/to _x_ () \u0301 e\u0301 \ufb01 \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \ud83d \udc4d \u0085 \ufeff \u180e \u200b"
    .split(' ')
    .concat([' ', '  ', '\t', '\n', '\r\n', '\n\n', '   \n ', '\u00a0', '\u3000', 'a'.repeat(300)]);

/** Some of what Unicode 17 added, known to V8 and not to the library's expressions. */
const SINCE_UNICODE_17 = [0x20c1, 0xa7ce, 0x10940, 0x11de0, 0x11de9, 0x16ea0, 0x1f6d8, 0x1fac8, 0x323b0];

it('knows which characters V8 takes for another kind', () => {
  for (const point of SINCE_UNICODE_17) expect(String.fromCodePoint(point)).toMatch(DISPUTED_CHARACTER);
  expect('word déjà 训练 ٣٤ Ⅷ ½ \u{1f468} \u0301 \u0085').not.toMatch(DISPUTED_CHARACTER);
});

for (const [name, source] of sources) {
  describeWith(source, name, (found) => {
    const { own, library, added } = open(found);
    const missing = BYTE_CHARACTERS.flatMap((character, byte) => (own.idOf(character) === null ? [byte] : []));
    const expectSame = async (samples: readonly string[], addSpecial: boolean): Promise<void> => {
      const theirs = await library.encode(samples, addSpecial);
      for (const [i, ours] of (await own.encode(samples, addSpecial)).entries()) {
        // The library leaves bytes out that a vocabulary lacks, as we do, but its ranges slip behind them.
        const isComplete = !missing.some((byte) => Buffer.from(samples[i] as string).includes(byte));
        expect(isComplete ? ours : ours.ids, samples[i]).toEqual(isComplete ? theirs[i] : theirs[i]?.ids);
      }
    };
    const text = fc
      .array(
        fc.oneof(
          { weight: 6, arbitrary: fc.constantFrom(...FRAGMENTS) },
          { weight: 2, arbitrary: fc.constantFrom(...added.map((token) => token.text)) },
          { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
          { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
        ),
        { maxLength: 30 },
      )
      .map((pieces) => pieces.join(''));

    it('encodes alike', async () => {
      const samples = fc.sample(text, 1500);
      await expectSame(samples, false);
      await expectSame(samples, true);
    });

    it('encodes every character alike', async () => {
      const points = Array.from({ length: 0x3400 }, (_, point) => point);
      const later = fc.sample(fc.integer({ min: 0x3400, max: 0x10ffff }), 3000);
      const characters = [...points, ...later, ...SINCE_UNICODE_17].map((point) => String.fromCodePoint(point));
      const samples = characters.map((character) => {
        return `a${character}b 1${character}2 '${character}. ${character} \n${character}  ${character}${character} x`;
      });
      await expectSame(samples, false);
    });

    it('decodes alike, whatever the ids', async () => {
      const ids = fc.array(fc.integer({ min: 0, max: own.vocabSize + 3 }), { maxLength: 40 });
      for (const sample of fc.sample(ids, 500)) {
        for (const skipSpecial of [false, true])
          expect(await own.decode(sample, skipSpecial)).toBe(await library.decode(sample, skipSpecial));
      }
    });

    it('names tokens alike', () => {
      expect(own.vocabSize).toBe(library.vocabSize);
      for (let id = 0; id < own.vocabSize + 2; id += 97) expect(own.tokenText(id)).toBe(library.tokenText(id));
      for (const token of [...FRAGMENTS, 'Ġthe', ...added.map(({ text: of }) => of)])
        expect(own.idOf(token)).toBe(library.idOf(token));
    });
  });
}

function open(source: string): { own: Codec; library: Codec; added: AddedToken[] } {
  const { tokenizerJson } = readTokenizerFiles(source);
  const text = typeof tokenizerJson === 'string' ? tokenizerJson : JSON.stringify(tokenizerJson);
  const parsed = JSON.parse(text) as JsonObject & { added_tokens: { id: number; content: string; special: boolean }[] };
  const added = parsed.added_tokens.map(({ id, content, special }) => ({ id, text: content, special }));
  const library = libraryCodec(parsed, added, source);
  const own = byteLevelCodec(parsed, added, source, () => library);
  if (own === null) throw new Error(`${source} is not recognized as byte-level`);
  return { own, library, added };
}
