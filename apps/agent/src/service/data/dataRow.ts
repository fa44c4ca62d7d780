import type { RowTable } from '@anneal/core/datasets/rowTable';
import type { InspectedRow, InspectedText } from '@anneal/core/protocol/data';
import type { DataRow } from '@anneal/core/protocol/dataView';

/** Of one answer: what a page draws at once, and far less than a message may have. */
const mostTokens = 2000;
const mostCharacters = 64 << 10;

/** The part of an inspected row that is sent at a time. @param shown the row, or its rejected answer */
export function dataRow(
  { source, value, verdict, unread, rejected, margin }: InspectedRow,
  { text, tokens, tokensLeftOut, turns, leftOut, tokenCount, targetTokens }: InspectedText,
  { number, from, sequenceLen, table }: { number: number; from: number; sequenceLen: number; table: RowTable },
): DataRow {
  const json = JSON.stringify(value, null, 2);
  const part = tokens?.slice(from, from + mostTokens) ?? null;
  const isLast = tokens === null || from + mostTokens >= tokens.length;
  // Of a row that was rendered and could not be tokenized the beginning.
  const [start, end] =
    part === null || text === null
      ? [0, mostCharacters]
      : [
          from === 0 ? 0 : (part[0]?.start ?? text.length),
          isLast && tokensLeftOut === 0 ? text.length : (part.at(-1)?.end ?? 0),
        ];
  const isDuplicate = number <= table.count && table.verdict(number - 1) === 'duplicate';
  return {
    source,
    verdict: isDuplicate ? { kind: 'dropped', reason: 'duplicate', detail: 'equals an earlier row' } : verdict,
    unread,
    tokenCount,
    targetTokens,
    number,
    value: json.slice(0, mostCharacters).toWellFormed(),
    isValueCut: json.length > mostCharacters,
    rejected: rejected ? { tokenCount: rejected.tokenCount, targetTokens: rejected.targetTokens } : null,
    ...(margin !== undefined && { margin }),
    sequenceLen,
    text: text?.slice(start, end) ?? null,
    textStart: start,
    turns: turns.filter((turn) => turn.start < end && turn.end > start),
    leftOut: leftOut.slice(0, 100),
    from,
    tokens: part,
    isLast,
  };
}
