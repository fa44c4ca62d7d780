import { bytesOf } from './byteLevel/byteAlphabet.ts';
import type { Tokenizer } from './tokenizer.ts';

/** One token for itself. */
export interface TokenPiece {
  readonly text: string;
  /** A part of a character has bytes that are no text, which then has U+FFFD. */
  readonly bytes: readonly number[];
}

/** What single tokens stand for, each asked for once. */
export function tokenPieces(tokenizer: Tokenizer): (id: number) => Promise<TokenPiece> {
  const known = new Map<number, Promise<TokenPiece>>();
  const added = new Map(tokenizer.addedTokens.map(({ id, text }) => [id, text]));
  const pieceOf = async (id: number): Promise<TokenPiece> => {
    const bytes = await bytesOfToken(tokenizer, added, id);
    return { bytes: [...bytes], text: new TextDecoder().decode(bytes) };
  };
  return (id) => {
    const piece = known.get(id) ?? pieceOf(id);
    known.set(id, piece);
    return piece;
  };
}

async function bytesOfToken(tokenizer: Tokenizer, added: ReadonlyMap<number, string>, id: number): Promise<Uint8Array> {
  const special = added.get(id);
  if (special !== undefined) return utf8(special);
  const spelled = tokenizer.tokenText(id) ?? '';
  const byte = /^<0x([0-9A-F]{2})>$/.exec(spelled)?.[1];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  // At the beginning of a text such tokenizers leave out the blank.
  if (spelled.includes('▁')) return utf8(spelled.replaceAll('▁', ' '));
  const text = await tokenizer.decode([id]);
  return (text.includes('\uFFFD') ? bytesOf(spelled) : null) ?? utf8(text);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
