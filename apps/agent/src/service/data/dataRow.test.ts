import type { RowTable } from '@anneal/core/datasets/rowTable';
import type { InspectedRow, InspectedText } from '@anneal/core/protocol/data';
import { expect, it } from 'vitest';
import { dataRow } from './dataRow.ts';

const token = { id: 7, start: 0, end: 1 } as NonNullable<InspectedText['tokens']>[number];
const text: InspectedText = {
  text: 'a'.repeat(9),
  turns: [],
  leftOut: [],
  tokens: Array.from({ length: 9 }, () => token),
  tokenCount: 9,
  targetTokens: 4,
  tokensLeftOut: 0,
};
const row: InspectedRow = {
  ...text,
  source: { file: 'pairs.jsonl', row: 1 },
  value: {},
  verdict: { kind: 'kept' },
  unread: [],
  rejected: { ...text, text: 'b'.repeat(90_000), tokenCount: 90_000, targetTokens: 89_000 },
};
const place = { number: 1, from: 0, sequenceLen: 2048, table: { count: 0 } as RowTable };

it('sends of the rejected answer how long it is, and none of its tokens', () => {
  const sent = dataRow(row, row, place);
  expect(sent.rejected).toEqual({ tokenCount: 90_000, targetTokens: 89_000 });
  expect(JSON.stringify(sent).length).toBeLessThan(2000);
});

it('says of a row with one answer that there is no other', () => {
  const { rejected: _, ...single } = row;
  expect(dataRow(single, single, place).rejected).toBeNull();
});
