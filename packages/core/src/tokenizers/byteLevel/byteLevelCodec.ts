import { isJsonObject, type JsonObject } from '@anneal/formats/json';
import { flatten } from '@anneal/formats/tokenizer/splits';
import type { AddedToken, Codec } from '../codec.ts';
import { tokenizerInvalid } from '../errors.ts';
import { TokenizedText, TokenList } from '../tokenizedText.ts';
import { AddedTokens } from './addedTokens.ts';
import { DISPUTED_CHARACTER } from './disputedCharacters.ts';
import { NOTHING, surroundingsOf } from './postProcessor.ts';
import { PreTokenizer } from './preTokenizer.ts';
import { Vocabulary } from './vocabulary.ts';
import { WordEncoder } from './wordEncoder.ts';

/**
 * Byte-level BPE, the tokenizer of GPT-2 and of nearly all models since Llama 3: the ids of the tokenizers library in a fraction of its time.
 * @param where names the tokenizer in errors
 * @param library opens the library's codec, for texts that NFC changes, characters of another Unicode and words of many million characters
 * @returns null for a tokenizer that is anything else in any part
 * @throws UserError `tokenizer_invalid` where it puts ids around a text that no token has
 */
export function byteLevelCodec(
  tokenizerJson: JsonObject,
  added: readonly AddedToken[],
  where: string,
  library: () => Codec,
): Codec | null {
  const { model, decoder } = tokenizerJson;
  if (!isJsonObject(model) || model.type !== 'BPE' || !isJsonObject(model.vocab)) return null;
  if (!isJsonObject(decoder) || decoder.type !== 'ByteLevel') return null;
  const normalizers = flatten(tokenizerJson.normalizer, 'normalizers');
  if (normalizers.some(({ type }) => type !== 'NFC')) return null;
  const preTokenizer = PreTokenizer.from(tokenizerJson.pre_tokenizer);
  const addedTokens = AddedTokens.from(tokenizerJson.added_tokens);
  const surroundings = surroundingsOf(tokenizerJson.post_processor);
  if (preTokenizer === null || addedTokens === null || surroundings === null) return null;
  const vocabulary = Vocabulary.from(model.vocab, added);
  const words = vocabulary && WordEncoder.from(model, vocabulary.model);
  if (vocabulary === null || words === null) return null;
  const unknown = [...surroundings.before, ...surroundings.after].find((id) => vocabulary.textOf(id) === null);
  if (unknown !== undefined) throw tokenizerInvalid(`post_processor adds the id ${unknown}, which no token has`, where);

  const tokens = new TokenList();
  const whole = normalizers.length > 0 ? (text: string) => text.normalize('NFC') : (text: string) => text;
  const encodeOne = (text: string, addSpecial: boolean): TokenizedText | null => {
    if (DISPUTED_CHARACTER.test(text)) return null;
    if (whole(text) !== text) return null;
    const { before, after } = addSpecial ? surroundings : NOTHING;
    for (const id of before) tokens.push(id, 0, 0);
    try {
      addedTokens.split(text, (start, end, id) => {
        if (id !== null) return tokens.push(id, start, end);
        const take = (from: number, to: number): void => words.encode(text, start + from, start + to, tokens);
        preTokenizer.split(text.slice(start, end), take);
      });
    } catch (error) {
      tokens.take();
      // V8's matcher keeps the characters of a run on a stack of 64 MB: enough for a word of 16 million.
      if (error instanceof RangeError) return null;
      throw error;
    }
    for (const id of after) tokens.push(id, text.length, text.length);
    return new TokenizedText(tokens.take());
  };
  /** Of a text that the library has encoded: positions there do not tell. */
  const firstLost = (text: string): string | null => {
    const normalized = whole(text.toWellFormed());
    let lost: string | null = null;
    addedTokens.split(normalized, (start, end, id) => {
      if (id === null) lost ??= words.firstLost(normalized.slice(start, end));
    });
    return lost;
  };
  return {
    vocabSize: vocabulary.size,
    async encode(texts, addSpecial) {
      const encoded = texts.map((text) => encodeOne(text.toWellFormed(), addSpecial));
      const others = texts.filter((_, i) => encoded[i] === null);
      if (others.length === 0) return encoded as TokenizedText[];
      const rest = (await library().encode(others, addSpecial)).map(
        (tokenized, i) => new TokenizedText({ ...tokenized, lost: firstLost(others[i] as string) }),
      );
      return encoded.map((tokenized) => tokenized ?? (rest.shift() as TokenizedText));
    },
    decode: async (ids, skipSpecial) => vocabulary.decode(ids, skipSpecial),
    idOf: (token) => vocabulary.idOf(token),
    tokenText: (id) => vocabulary.textOf(id),
    tokenBytes: (id) => vocabulary.bytesOf(id),
  };
}
