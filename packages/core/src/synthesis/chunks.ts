/** Cutting documents into texts that fit into one request. */
import type { Document } from './documents.ts';

export interface Chunk {
  readonly source: string;
  readonly row: number | null;
  /** Bytes of the document in UTF-8: [start, end). */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Where a text may be cut, best first: after a paragraph, a line, a sentence, a word. */
const BORDERS = [/\n[^\S\n]*\n/g, /\n/g, /[.!?]["')\]]*\s|[。！？]/g, /\s/g];

/**
 * Texts of at most `most` characters that together are the document; only blanks around them are left out.
 * @param most at least 2: no character is cut in two
 */
export function chunksOf({ source, row, text }: Document, most: number): Chunk[] {
  const chunks: Chunk[] = [];
  let byte = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.length - at <= most ? text.length : at + cutWithin(text.slice(at, at + most));
    const piece = text.slice(at, end);
    const trimmed = piece.trim();
    const start = byte + Buffer.byteLength(piece.slice(0, piece.length - piece.trimStart().length));
    if (trimmed !== '') chunks.push({ source, row, start, end: start + Buffer.byteLength(trimmed), text: trimmed });
    byte += Buffer.byteLength(piece);
    at = end;
  }
  return chunks;
}

/** Length of the beginning to cut off: in the later half where there is a border, else as long as can be. */
function cutWithin(window: string): number {
  for (const border of BORDERS) {
    const last = [...window.matchAll(border)].at(-1);
    const end = last === undefined ? 0 : last.index + last[0].length;
    if (end >= window.length / 2) return end;
  }
  const isHalf = /[\ud800-\udbff]$/.test(window);
  return window.length - (isHalf ? 1 : 0);
}
