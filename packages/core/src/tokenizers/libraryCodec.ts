import { isJsonObject, type JsonObject } from '@anneal/formats/json';
import { BYTE_CHARACTERS } from './byteLevel/byteAlphabet.ts';
import type { AddedToken, Codec } from './codec.ts';
import { tokenizerFailed, tokenizerInvalid } from './errors.ts';
import { LibraryConnection } from './libraryConnection.ts';
import type { LibraryEncoding } from './libraryProcess.ts';
import { TokenizedText, type TokenRanges } from './tokenizedText.ts';

/**
 * Any tokenizer, by Hugging Face's own library in another process. What the library refuses is said by the first text.
 * @param tokenizerJson tokenizer.json; @param where names it in errors
 * @throws UserError `tokenizer_invalid`, `tokenizer_failed`
 */
export function libraryCodec(tokenizerJson: JsonObject, added: readonly AddedToken[], where: string): Codec {
  const ids = vocabularyOf(tokenizerJson, where);
  for (const { id, text } of added) ids.set(text, id);
  const texts = new Map([...ids].map(([text, id]) => [id, text]));
  const vocabSize = [...ids.values()].reduce((size, id) => Math.max(size, id + 1), 0);
  const lostIn = lossOf(tokenizerJson.model as JsonObject, ids);
  const library = new LibraryConnection(JSON.stringify(tokenizerJson, wholeOffsets), where);
  return {
    vocabSize,
    async encode(inputs, addSpecialTokens) {
      const size = inputs.reduce((sum, { length }) => sum + length, 0);
      const encodings = (await library.ask(
        { kind: 'encode', texts: inputs, addSpecialTokens },
        size,
      )) as LibraryEncoding[];
      return encodings.map((encoding, i) => {
        const unknown = encoding.ids.find((id) => id < 0 || id >= vocabSize);
        if (unknown !== undefined) throw tokenizerFailed(`it gives the id ${unknown >>> 0}, which no token has`, where);
        return tokenizedText(inputs[i] as string, encoding, lostIn);
      });
    },
    async decode(tokens, skipSpecial) {
      return (await library.ask(
        { kind: 'decode', ids: Int32Array.from(tokens), skipSpecial },
        tokens.length,
      )) as string;
    },
    idOf: (token) => ids.get(token) ?? null,
    tokenText: (id) => texts.get(id) ?? null,
    tokenBytes: (id) => fallbackByte(texts.get(id)),
  };
}

/** Vocabularies with a token for each byte spell them so. */
function fallbackByte(text: string | undefined): Uint8Array | null {
  const hex = /^<0x([0-9A-F]{2})>$/.exec(text ?? '')?.[1];
  return hex === undefined ? null : Uint8Array.of(Number.parseInt(hex, 16));
}

/** Offsets shall cover every character: some tokenizers leave the blank before a word out of them. Ids do not change. */
const wholeOffsets = (key: string, value: unknown): unknown =>
  key === 'trim_offsets' && value === true ? false : value;

/** Token → id: an object, or for Unigram a list of tokens with their scores. */
function vocabularyOf({ model }: JsonObject, where: string): Map<string, number> {
  const vocab = isJsonObject(model) ? model.vocab : undefined;
  const isList = Array.isArray(vocab);
  if (!isList && !isJsonObject(vocab)) throw tokenizerInvalid('model.vocab is neither an object nor a list', where);
  const entries: [unknown, unknown][] = isList ? vocab.map((item, id) => [item?.[0], id]) : Object.entries(vocab);
  for (const [token, id] of entries) {
    const isRight =
      typeof token === 'string' && Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 31;
    if (!isRight) throw tokenizerInvalid(`the token ${JSON.stringify(token)} has the id ${JSON.stringify(id)}`, where);
  }
  return new Map(entries as [string, number][]);
}

/** The library counts code points. */
function tokenizedText(text: string, { ids, ranges }: LibraryEncoding, lostIn: LostIn): TokenizedText {
  const starts = new Int32Array(ids.length);
  const ends = new Int32Array(ids.length);
  const positions = positionsOf(text);
  let position = 0;
  for (let i = 0; i < ids.length; i++) {
    const start = ranges[2 * i] as number;
    const end = ranges[2 * i + 1] as number;
    // What is put around a text has the range 0 … 0, at its end too.
    starts[i] = end === 0 ? position : (positions?.[start] ?? start);
    position = end === 0 ? position : (positions?.[end] ?? end);
    ends[i] = position;
  }
  return new TokenizedText({ ids, starts, ends, lost: lostIn(text, { ids, starts, ends }) });
}

type LostIn = (text: string, tokens: Omit<TokenRanges, 'lost'>) => string | null;

/** The library puts a token for "unknown" in the place of what a vocabulary lacks; BPE without one leaves it out. */
function lossOf(model: JsonObject, vocabulary: ReadonlyMap<string, number>): LostIn {
  const { type, unk_token: unkToken, unk_id: unkId, byte_fallback: hasBytes } = model;
  const unknown = typeof unkToken === 'string' ? vocabulary.get(unkToken) : unkId;
  if (typeof unknown === 'number') {
    const [spelled] = [...vocabulary].find(([, id]) => id === unknown) ?? [];
    return (text, { ids, starts, ends }) => {
      const at = ids.indexOf(unknown);
      if (at < 0 || (spelled && text.includes(spelled))) return null;
      return text.slice(starts[at], ends[at]);
    };
  }
  const isWhole = BYTE_CHARACTERS.every((character) => vocabulary.has(character));
  if (type !== 'BPE' || hasBytes || isWhole) return () => null;
  return (text, { starts, ends }) => {
    let covered = 0;
    for (let i = 0; i <= starts.length; i++) {
      // What pre-tokenizers leave out on purpose is white space, and what normalizers join to a character are marks.
      const gap = text.slice(covered, starts[i] ?? text.length).replace(/[\s\p{M}]/gu, '');
      if (gap !== '') return [...text].find((character) => /\S/.test(character) && !vocabulary.has(character)) ?? gap;
      covered = Math.max(covered, ends[i] ?? 0);
    }
    return null;
  };
}

/** The UTF-16 position of every code point and of the end; null where both count the same. */
function positionsOf(text: string): Int32Array | null {
  if (!/[\ud800-\udbff][\udc00-\udfff]/.test(text)) return null;
  const positions = new Int32Array(text.length + 1);
  let [count, position] = [0, 0];
  for (const character of text) {
    positions[count++] = position;
    position += character.length;
  }
  positions[count] = position;
  return positions;
}
