import type { RowTable } from '@anneal/core/datasets/rowTable';
import type { InspectedData } from './inspect.ts';

/** Lines that are handed on together. */
const partRows = 64;

/** Rows with what becomes of them, as lines of JSON. @param places of the rows, from 0 */
export async function* problemLines(
  rows: InspectedData['rows'],
  table: RowTable,
  places: readonly number[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void> {
  for (let at = 0; at < places.length; at += partRows) {
    signal?.throwIfAborted();
    const lines: string[] = [];
    for (const place of places.slice(at, at + partRows)) {
      for await (const { source, verdict, leftOut, value } of rows.range({ first: place + 1, last: place + 1 })) {
        const reason = table.verdict(place);
        const judged = reason === 'duplicate' ? { kind: 'dropped', reason } : verdict;
        const parts = leftOut.length > 0 ? { left_out: leftOut.map(({ detail }) => detail) } : {};
        lines.push(`${JSON.stringify({ number: place + 1, ...source, verdict: judged, ...parts, value })}\n`);
      }
    }
    yield lines.join('');
  }
}
