import type { JsonObject } from '@anneal/formats/json';
import { readMerge } from '@anneal/formats/tokenizer/merges';
import type { TokenList } from '../tokenizedText.ts';
import { BYTE_CHARACTERS, spellBytes } from './byteAlphabet.ts';
import { PairTable } from './pairTable.ts';
import { WordMerger } from './wordMerger.ts';

/** The tokens of a word, with the UTF-16 range of each within it. */
interface Word {
  readonly ids: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Its first character that has a byte without a token. */
  readonly lost: string | null;
}

/** Words kept with their tokens; a language's frequent words are a fraction of that. */
const CACHED_WORDS = 1 << 18;
/** UTF-16 units. Longer words hardly come twice. */
const LONGEST_CACHED = 64;

/** Byte pair encoding of words: UTF-8 bytes as tokens, neighbors merged by rank. */
export class WordEncoder {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #merger: WordMerger;
  /** The token of every byte; -1 for bytes the vocabulary lacks, which are left out as the tokenizers library does, and said. */
  readonly #byteIds: Int32Array;
  /** A word that the vocabulary holds is one token, whatever the merges say. */
  readonly #ignoresMerges: boolean;
  /** Most words are one token, and kept as its id. */
  readonly #cache = new Map<string, number | Word>();
  #bytes = new Uint8Array(1024);

  private constructor(ids: ReadonlyMap<string, number>, pairs: PairTable, ignoresMerges: boolean) {
    this.#ids = ids;
    this.#merger = new WordMerger(pairs);
    this.#ignoresMerges = ignoresMerges;
    this.#byteIds = Int32Array.from(BYTE_CHARACTERS, (character) => ids.get(character) ?? -1);
  }

  /** @param ids the vocabulary; @returns null where `model` is another kind than plain BPE, or leads out of the vocabulary */
  static from(model: JsonObject, ids: ReadonlyMap<string, number>): WordEncoder | null {
    const { merges, ...rest } = model;
    const isPlain = OTHER_KINDS.every((field) => !rest[field]);
    if (!isPlain || !Array.isArray(merges)) return null;
    const pairs = new PairTable(merges.length);
    for (const [rank, value] of merges.entries()) {
      const merge = readMerge(value);
      if (merge === null) return null;
      const [left, right] = merge;
      const [leftId, rightId, merged] = [ids.get(left), ids.get(right), ids.get(`${left}${right}`)];
      if (leftId === undefined || rightId === undefined || merged === undefined) return null;
      pairs.set(leftId, rightId, rank, merged);
    }
    return new WordEncoder(ids, pairs, rest.ignore_merges === true);
  }

  /** The first character of a text that has a byte without a token. */
  firstLost(text: string): string | null {
    if (!this.#byteIds.includes(-1)) return null;
    const isLost = (character: string) => UTF8.encode(character).some((byte) => (this.#byteIds[byte] as number) < 0);
    return [...text].find(isLost) ?? null;
  }

  /** Appends the tokens of the word at `start` … `end - 1` of a text. */
  encode(text: string, start: number, end: number, tokens: TokenList): void {
    const spelling = text.slice(start, end);
    let word = this.#cache.get(spelling);
    if (word === undefined) {
      word = this.#merge(spelling);
      if (spelling.length <= LONGEST_CACHED) {
        if (this.#cache.size === CACHED_WORDS) this.#cache.clear();
        this.#cache.set(spelling, word);
      }
    }
    if (typeof word === 'number') tokens.push(word, start, end);
    else {
      for (let i = 0; i < word.ids.length; i++) {
        tokens.push(word.ids[i] as number, start + (word.starts[i] as number), start + (word.ends[i] as number));
      }
      if (word.lost !== null) tokens.lose(word.lost);
    }
  }

  #merge(word: string): number | Word {
    const bytes = this.#toBytes(word);
    const whole = this.#ignoresMerges ? this.#ids.get(spellBytes(bytes)) : undefined;
    if (whole !== undefined) return whole;
    const ids = new Int32Array(bytes.length);
    const ends = new Int32Array(bytes.length);
    let count = 0;
    for (let i = 0; i < bytes.length; i++) {
      const id = this.#byteIds[bytes[i] as number] as number;
      if (id < 0) continue;
      ids[count] = id;
      ends[count++] = i + 1;
    }
    const lost = count < bytes.length ? this.firstLost(word) : null;
    count = this.#merger.merge(ids, ends, count);
    if (count === 1 && lost === null) return ids[0] as number;
    return { ids: ids.slice(0, count), ...charactersOf(word, ends.subarray(0, count)), lost };
  }

  #toBytes(word: string): Uint8Array {
    if (this.#bytes.length < word.length * 3) this.#bytes = new Uint8Array(word.length * 3);
    return this.#bytes.subarray(0, UTF8.encodeInto(word, this.#bytes).written);
  }
}

const UTF8 = new TextEncoder();

/** What makes a model of type BPE another kind of encoding. */
const OTHER_KINDS = [
  'dropout',
  'unk_token',
  'continuing_subword_prefix',
  'end_of_word_suffix',
  'fuse_unk',
  'byte_fallback',
];

/** The UTF-16 ranges of tokens that end at these bytes. Tokens that share a character each cover all of it. */
function charactersOf(word: string, byteEnds: Int32Array): { starts: Int32Array; ends: Int32Array } {
  const starts = new Int32Array(byteEnds.length);
  const ends = new Int32Array(byteEnds.length);
  let [token, byte, unit] = [0, 0, 0];
  for (const character of word) {
    const nextUnit = unit + character.length;
    const nextByte = byte + utf8Length(character.codePointAt(0) as number);
    // Every token that begins within this character, and every one that ends within it.
    for (; token < byteEnds.length; token++) {
      const firstByte = token === 0 ? 0 : (byteEnds[token - 1] as number);
      if (firstByte >= byte && firstByte < nextByte) starts[token] = unit;
      if ((byteEnds[token] as number) > nextByte) break;
      ends[token] = nextUnit;
    }
    [byte, unit] = [nextByte, nextUnit];
  }
  return { starts, ends };
}

const utf8Length = (codePoint: number): number =>
  codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
