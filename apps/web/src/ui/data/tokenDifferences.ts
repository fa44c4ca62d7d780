/** What differs between two readings of a row: tokens of one that have no counterpart in the other. */
import type { ShownToken, TokenBlock } from './shownTokens.ts';

/** By the places of the tokens in their rows. */
export interface Differences {
  mine: ReadonlySet<number>;
  other: ReadonlySet<number>;
}

/** Of one message: tokens that one of the two does not have, in some 0.3 s and 64 MB. What differs more is compared from both ends only. */
const mostEdits = 4000;

/**
 * Message by message the longest common sequence of tokens stands for what is equal: same characters, and trained or not.
 * @param isWhole false of a reading of which tokens are still to come: what follows the last equal ones of its last message, and a message
 * that it has not, may yet find its counterpart
 */
export function differences(
  mine: readonly TokenBlock[],
  other: readonly TokenBlock[],
  isWhole: Readonly<Record<keyof Differences, boolean>>,
): Differences {
  const found = { mine: new Set<number>(), other: new Set<number>() };
  const [a, b] = [byMessage(mine), byMessage(other)];
  const keys = [...new Set([...a.keys(), ...b.keys()])];
  const [lastOfA, lastOfB] = [[...a.keys()].at(-1), [...b.keys()].at(-1)];
  for (const key of keys) {
    const [left, right] = [a.get(key) ?? [], b.get(key) ?? []];
    const pairs = commonPairs(left, right);
    const isOpen =
      (!isWhole.mine && (key === lastOfA || !a.has(key))) || (!isWhole.other && (key === lastOfB || !b.has(key)));
    const [endLeft, endRight] = isOpen ? (pairs.at(-1) ?? [0, 0]) : [left.length, right.length];
    const [equalLeft, equalRight] = [new Set(pairs.map(([i]) => i)), new Set(pairs.map(([, j]) => j))];
    for (const [i, { index }] of left.slice(0, endLeft).entries()) if (!equalLeft.has(i)) found.mine.add(index);
    for (const [j, { index }] of right.slice(0, endRight).entries()) if (!equalRight.has(j)) found.other.add(index);
  }
  return found;
}

/** The tokens of each message, and those of the template that follow each. */
function byMessage(blocks: readonly TokenBlock[]): Map<string, ShownToken[]> {
  const groups = new Map<string, ShownToken[]>();
  let last = 'the beginning';
  for (const { message, tokens } of blocks) {
    if (message !== null) last = `message ${message}`;
    const key = message === null ? `after ${last}` : last;
    groups.set(key, [...(groups.get(key) ?? []), ...tokens]);
  }
  return groups;
}

/** The places of equal tokens, in both ascending. */
function commonPairs(a: readonly ShownToken[], b: readonly ShownToken[]): [number, number][] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && isEqual(a[start], b[start])) start++;
  let end = 0;
  while (end < shorter - start && isEqual(a[a.length - 1 - end], b[b.length - 1 - end])) end++;
  const [rows, columns] = [a.length - start - end, b.length - start - end];
  const pairs = Array.from({ length: start }, (_, i): [number, number] => [i, i]);
  for (const pair of longestCommon(a, b, start, rows, columns)) pairs.push(pair);
  for (let i = end; i > 0; i--) pairs.push([a.length - i, b.length - i]);
  return pairs;
}

/** By the greedy algorithm of Myers (1986): what is common costs next to nothing, what differs its square. */
function longestCommon(
  a: readonly ShownToken[],
  b: readonly ShownToken[],
  start: number,
  rows: number,
  columns: number,
): [number, number][] {
  const most = Math.min(rows + columns, mostEdits);
  // The furthest row that is reached on diagonal k = row − column; before each further edit, as it was.
  const furthest = new Int32Array(2 * most + 3);
  const before: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits++) {
    before.push(furthest.slice(most - edits, most + edits + 3));
    for (let k = -edits; k <= edits; k += 2) {
      const from = previousDiagonal(before[edits] as Int32Array, k);
      let i = (furthest[most + 1 + from] as number) + (from < k ? 1 : 0);
      while (i < rows && i - k < columns && isEqual(a[start + i], b[start + i - k])) i++;
      furthest[most + 1 + k] = i;
      if (i >= rows && i - k >= columns) return pairsOf(before, start, rows, columns);
    }
  }
  return [];
}

/** @param furthest of the diagonals −(n + 1) … n + 1 before edit n; the way to diagonal k comes from the one that is further */
function previousDiagonal(furthest: Int32Array, k: number): number {
  const edits = (furthest.length - 3) / 2;
  const at = (diagonal: number) => furthest[diagonal + edits + 1] as number;
  return k === -edits || (k !== edits && at(k - 1) < at(k + 1)) ? k + 1 : k - 1;
}

/** Back from the end: what lies on a diagonal is common. */
function pairsOf(before: readonly Int32Array[], start: number, rows: number, columns: number): [number, number][] {
  const pairs: [number, number][] = [];
  let [i, j] = [rows, columns];
  for (const [edits, furthest] of [...before.entries()].toReversed()) {
    const diagonal = previousDiagonal(furthest, i - j);
    const row = furthest[diagonal + edits + 1] as number;
    while (i > row && j > row - diagonal) pairs.push([start + --i, start + --j]);
    [i, j] = [row, row - diagonal];
  }
  return pairs.toReversed();
}

/** Ids are each vocabulary's own. Tokens without characters of their own are told by how they are spelled. */
function isEqual(a: ShownToken | undefined, b: ShownToken | undefined): boolean {
  return a?.part === b?.part && (a?.part !== '' || a.text === b?.text) && a?.target === b?.target;
}
