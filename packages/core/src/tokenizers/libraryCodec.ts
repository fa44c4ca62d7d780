import { UserError } from '@anneal/formats/errors';
import { type Encoding, Tokenizer as Library } from 'tokenizers';
import type { AddedToken, Codec } from './codec.ts';
import { TokenizedText } from './tokenizedText.ts';

/**
 * Any tokenizer, by Hugging Face's own library, which works on other threads.
 * @param tokenizerJson the text of tokenizer.json; @param where names it in errors
 * @throws UserError `tokenizer_invalid`
 */
export function libraryCodec(tokenizerJson: string, added: readonly AddedToken[], where: string): Codec {
  const library = open(tokenizerJson, where);
  return {
    vocabSize: added.reduce((size, token) => Math.max(size, token.id + 1), library.getVocabSize(true)),
    async encode(texts, addSpecialTokens) {
      const encodings = await library.encodeBatch([...texts], { addSpecialTokens });
      return encodings.map((encoding, i) => tokenizedText(texts[i] as string, encoding));
    },
    decode: (ids, skipSpecial) => library.decode(Array.from(ids), skipSpecial),
    idOf: (token) => library.tokenToId(token),
    tokenText: (id) => library.idToToken(id),
  };
}

function open(tokenizerJson: string, where: string): Library {
  try {
    // Offsets shall cover every character: some tokenizers leave the blank before a word out of them. Ids do not change.
    const library = Library.fromString(tokenizerJson.replaceAll(/"trim_offsets"\s*:\s*true/g, '"trim_offsets":false'));
    library.disableTruncation();
    library.disablePadding();
    return library;
  } catch (cause) {
    throw tokenizerInvalid(cause, where);
  }
}

export const tokenizerInvalid = (cause: unknown, where: string): UserError =>
  new UserError({
    what: `the tokenizer cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    where,
    next: 'download the file again; it must be written by the tokenizers library',
    code: 'tokenizer_invalid',
    cause,
  });

/** The library counts code points. */
function tokenizedText(text: string, encoding: Encoding): TokenizedText {
  const ids = Int32Array.from(encoding.getIds());
  const starts = new Int32Array(ids.length);
  const ends = new Int32Array(ids.length);
  const positions = positionsOf(text);
  let position = 0;
  for (const [i, [start = 0, end = 0]] of encoding.getOffsets().entries()) {
    // What is put around a text has the range 0 … 0, at its end too.
    starts[i] = end === 0 ? position : (positions?.[start] ?? start);
    position = end === 0 ? position : (positions?.[end] ?? end);
    ends[i] = position;
  }
  return new TokenizedText({ ids, starts, ends });
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
