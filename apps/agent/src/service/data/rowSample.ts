/** The lengths of some rows, chosen at random: as many as are read and made tokens of in a moment. */

import type { InspectedFile } from '@anneal/core/datasets/inspect';
import { RowTable } from '@anneal/core/datasets/rowTable';
import { permutation, random } from '@anneal/core/random';
import type { InspectedRows } from './rows.ts';

const mostRows = 2000;
/** Read together: of a table each time is a pass over it. */
const readTogether = 512;
/** Made tokens of together, for the tokenizer's threads. */
const together = 32;
/** Whoever waits sees the lengths within two seconds: nothing more is read, and no more tokens are made of what was. */
const [enoughReading, enoughTokens] = [800, 600];

/** @param counts of the rows of each file */
export async function sampleRows(
  rows: InspectedRows,
  counts: readonly number[],
  signal: AbortSignal,
): Promise<RowTable> {
  const table = new RowTable();
  const count = counts.reduce((sum, of) => sum + of, 0);
  const places = chosen(count, Math.min(count, mostRows));
  const end = performance.now() + enoughReading;
  for (let at = 0; at < places.length && (at === 0 || performance.now() < end); at += readTogether) {
    const files = byFile(places.slice(at, at + readTogether), counts);
    for (const [file, offsets] of files) {
      await rows.use(file, (opened) => judgeSome(opened, offsets, files.size, table, signal));
    }
  }
  return table;
}

/** What reading gives is in the order of the file, or by chance: rows that there is no time for are of all places. */
async function judgeSome(
  file: InspectedFile,
  offsets: readonly number[],
  files: number,
  table: RowTable,
  signal: AbortSignal,
): Promise<void> {
  const order = permutation(offsets.length, 'lengths');
  const read = await file.pick(offsets);
  const picked = Array.from(order, (place) => read[place]).filter((row) => row !== undefined);
  const end = performance.now() + enoughTokens / files;
  for (let at = 0; at < picked.length && (at === 0 || performance.now() < end); at += together) {
    signal.throwIfAborted();
    for (const row of await file.judge(picked.slice(at, at + together))) table.append(row);
  }
}

/** Different numbers below `count` in an order of chance: the first of them are as good a sample as all. */
function chosen(count: number, most: number): number[] {
  const { below } = random('lengths', count);
  const moved = new Map<number, number>();
  return Array.from({ length: most }, (_, i) => {
    const at = i + below(count - i);
    const place = moved.get(at) ?? at;
    moved.set(at, moved.get(i) ?? i);
    return place;
  });
}

function byFile(places: readonly number[], counts: readonly number[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const place of places) {
    let [file, offset] = [0, place];
    while (offset >= (counts[file] as number)) offset -= counts[file++] as number;
    found.set(file, [...(found.get(file) ?? []), offset]);
  }
  return found;
}
