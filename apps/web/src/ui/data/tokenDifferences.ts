/** What differs between two readings of a row: tokens of one that have no counterpart in the other. */
import type { ShownToken, TokenBlock } from './shownTokens.ts';

/** By the places of the tokens in their rows. */
export interface Differences {
  mine: ReadonlySet<number>;
  other: ReadonlySet<number>;
}

/** Of one message: some milliseconds. What is longer is compared from both ends only. */
const mostPairs = 4_000_000;

/**
 * Message by message the longest common sequence of tokens stands for what is equal: same characters, and trained or not.
 * @param isWhole false while tokens are still to come: what follows the last equal ones may yet find its counterpart
 */
export function differences(mine: readonly TokenBlock[], other: readonly TokenBlock[], isWhole: boolean): Differences {
  const found = { mine: new Set<number>(), other: new Set<number>() };
  const [a, b] = [byMessage(mine), byMessage(other)];
  const keys = [...new Set([...a.keys(), ...b.keys()])];
  const lasts = [[...a.keys()].at(-1), [...b.keys()].at(-1)];
  for (const key of keys) {
    const [left, right] = [a.get(key) ?? [], b.get(key) ?? []];
    const pairs = commonPairs(left, right);
    const isOpen = !isWhole && lasts.includes(key);
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
  if (rows * columns <= mostPairs) pairs.push(...longestCommon(a, b, start, rows, columns));
  for (let i = end; i > 0; i--) pairs.push([a.length - i, b.length - i]);
  return pairs;
}

function longestCommon(
  a: readonly ShownToken[],
  b: readonly ShownToken[],
  start: number,
  rows: number,
  columns: number,
): [number, number][] {
  // The length of what is common from row i and column j on.
  const width = columns + 1;
  const lengths = new Uint16Array((rows + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] as number;
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      lengths[i * width + j] = isEqual(a[start + i], b[start + j])
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (isEqual(a[start + i], b[start + j])) pairs.push([start + i++, start + j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

/** Ids are each vocabulary's own. Tokens without characters of their own are told by how they are spelled. */
function isEqual(a: ShownToken | undefined, b: ShownToken | undefined): boolean {
  return a?.part === b?.part && (a?.part !== '' || a.text === b?.text) && a?.target === b?.target;
}
