import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ROW_VERDICTS, type RowFilter, type RowVerdict } from '../protocol/rowVerdicts.ts';
import { countTargetTokens } from './judge.ts';
import type { ProcessedRow } from './processRows.ts';
import { damagedStore } from './storeManifest.ts';
import type { Verdict } from './types.ts';

/** What became of a row, in numbers: of a pair those of both answers together. */
export interface JudgedRow {
  readonly verdict: Verdict;
  /** Null for a row that has no tokens. */
  readonly tokens: number | null;
  readonly targetTokens: number | null;
  /** A plain text, which is split where it is too long. */
  readonly isText: boolean;
  /** The template does not print a part of it, or prints what reads as tokens of its own. */
  readonly leavesOut: boolean;
}

/** @param verdict the last word on it, which other rows may have changed */
export function judgedRow({ rendered, encoded, rejected, verdict: judged }: ProcessedRow, verdict = judged): JudgedRow {
  const other = rejected?.encoded;
  return {
    verdict,
    tokens: encoded && encoded.ids.length + (other?.ids.length ?? 0),
    targetTokens: encoded && countTargetTokens(encoded) + (other ? countTargetTokens(other) : 0),
    isText: rendered?.kind === 'text',
    leavesOut: (rendered?.leftOut.length ?? 0) > 0,
  };
}

export const verdictName = (verdict: Verdict): RowVerdict =>
  verdict.kind === 'dropped' ? verdict.reason : verdict.kind;

/** The code of a verdict is its place in `ROW_VERDICTS`. */
const [TEXT, LEAVES_OUT, NO_TOKENS, CODE] = [0x80, 0x40, 0x20, 0x1f];

/** The verdicts and lengths of all rows, by position over all files: nine bytes a row. */
export class RowTable {
  #count = 0;
  #codes = new Uint8Array(1024);
  #tokens = new Uint32Array(1024);
  #targets = new Uint32Array(1024);

  get count(): number {
    return this.#count;
  }

  append({ verdict, tokens, targetTokens, isText, leavesOut }: JudgedRow): void {
    if (this.#count === this.#codes.length) {
      this.#codes = grown(this.#codes, new Uint8Array(2 * this.#count));
      this.#tokens = grown(this.#tokens, new Uint32Array(2 * this.#count));
      this.#targets = grown(this.#targets, new Uint32Array(2 * this.#count));
    }
    const code = ROW_VERDICTS.indexOf(verdictName(verdict));
    const flags = (isText ? TEXT : 0) | (leavesOut ? LEAVES_OUT : 0) | (tokens === null ? NO_TOKENS : 0);
    this.#codes[this.#count] = code | flags;
    this.#tokens[this.#count] = tokens ?? 0;
    this.#targets[this.#count] = targetTokens ?? 0;
    this.#count++;
  }

  verdict(row: number): RowVerdict {
    return ROW_VERDICTS[(this.#codes[row] as number) & CODE] as RowVerdict;
  }

  tokens(row: number): number | null {
    return (this.#codes[row] as number) & NO_TOKENS ? null : (this.#tokens[row] as number);
  }

  targetTokens(row: number): number | null {
    return (this.#codes[row] as number) & NO_TOKENS ? null : (this.#targets[row] as number);
  }

  isText(row: number): boolean {
    return ((this.#codes[row] as number) & TEXT) !== 0;
  }

  leavesOut(row: number): boolean {
    return ((this.#codes[row] as number) & LEAVES_OUT) !== 0;
  }

  /** It is not trained as it stands: dropped, cut, or a part of it is not printed, or read as something else. */
  isProblem(row: number): boolean {
    return ((this.#codes[row] as number) & (CODE | LEAVES_OUT)) !== 0;
  }

  passes(row: number, filter: RowFilter): boolean {
    if (filter === 'all') return true;
    if (filter === 'problem') return this.isProblem(row);
    return filter === 'left_out' ? this.leavesOut(row) : this.verdict(row) === filter;
  }

  /** As they are kept in a file: all codes, then tokens and target tokens as uint32, little-endian. */
  bytes(): Uint8Array[] {
    const part = (array: Uint8Array | Uint32Array): Uint8Array => {
      const used = array.subarray(0, this.#count);
      return new Uint8Array(used.buffer, used.byteOffset, used.byteLength);
    };
    return [part(this.#codes), part(this.#tokens), part(this.#targets)];
  }

  /** @throws UserError `token_cache_damaged` */
  static read(path: string): RowTable {
    const bytes = readFileSync(path);
    const table = new RowTable();
    const count = bytes.length / 9;
    if (!Number.isInteger(count) || !bytes.subarray(0, count).every(isKnown)) {
      throw damagedStore(dirname(path), `${basename(path)} is not a table of rows`);
    }
    const numbers = (from: number): Uint32Array<ArrayBuffer> =>
      new Uint32Array(Uint8Array.from(bytes.subarray(from, from + 4 * count)).buffer);
    table.#codes = Uint8Array.from(bytes.subarray(0, count));
    table.#tokens = numbers(count);
    table.#targets = numbers(5 * count);
    table.#count = count;
    return table;
  }
}

const isKnown = (code: number): boolean => (code & CODE) < ROW_VERDICTS.length;

function grown<T extends Uint8Array | Uint32Array>(array: T, larger: T): T {
  larger.set(array);
  return larger;
}
