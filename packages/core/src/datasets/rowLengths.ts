import type { LengthLoss, RowLengths } from '../protocol/dataView.ts';
import type { RowTable } from './rowTable.ts';

const bins = 60;
/** A length is an outlier when it is so many times as long as 98 % of all: the last bin then counts all longer, too. */
const outlier = 3;

/** What a `sequence_len` would lose of the rows that are judged, and how long they are. */
export function rowLengths(table: RowTable, sequenceLen: number): RowLengths {
  let [longest, totalRows, totalTokens, totalTargetTokens] = [0, 0, 0, 0];
  for (let row = 0; row < table.count; row++) {
    const tokens = table.tokens(row);
    if (tokens === null) continue;
    longest = Math.max(longest, tokens);
    totalRows++;
    totalTokens += tokens;
    totalTargetTokens += table.targetTokens(row) ?? 0;
  }
  const usual = Math.max(usualLength(table, longest, totalRows), Math.min(sequenceLen, longest));
  const end = longest > outlier * usual ? usual : longest;
  const width = Math.max(1, Math.ceil((end + 1) / bins));
  const rows = Array.from({ length: Math.floor(end / width) + (end < longest ? 2 : 1) }, () => 0);
  // By bin first, then summed up from the longest down.
  const own = rows.map((): LengthLoss => ({ rows: 0, tokens: 0, targetTokens: 0, tokensBeyond: 0 }));
  const loss: LengthLoss = { rows: 0, tokens: 0, targetTokens: 0, tokensBeyond: 0 };
  for (let row = 0; row < table.count; row++) {
    const tokens = table.tokens(row);
    if (tokens === null) continue;
    const bin = Math.min(rows.length - 1, Math.floor(tokens / width));
    rows[bin] = (rows[bin] as number) + 1;
    if (table.isText(row)) continue;
    const targetTokens = table.targetTokens(row) ?? 0;
    add(own[bin] as LengthLoss, { rows: 1, tokens, targetTokens, tokensBeyond: 0 });
    if (tokens > sequenceLen) add(loss, { rows: 1, tokens, targetTokens, tokensBeyond: tokens - sequenceLen });
  }
  const lossOfBin: LengthLoss[] = [];
  const longer: LengthLoss = { rows: 0, tokens: 0, targetTokens: 0, tokensBeyond: 0 };
  for (let bin = rows.length - 1; bin >= 0; bin--) {
    // Rows of this bin are at least as long as its first length, and count as lost with a limit just below it.
    add(longer, own[bin] as LengthLoss);
    lossOfBin[bin] = { ...longer, tokensBeyond: longer.tokens - longer.rows * bin * width };
  }
  return { width, rows, longest, totalRows, totalTokens, totalTargetTokens, loss, lossOfBin, sample: null };
}

/** What 98 % of the rows do not exceed, to a four-thousandth of the longest. */
function usualLength(table: RowTable, longest: number, rows: number): number {
  const step = (longest + 1) / 4096;
  const counts = new Uint32Array(4096);
  for (let row = 0; row < table.count; row++) {
    const tokens = table.tokens(row);
    if (tokens === null) continue;
    const bin = Math.floor(tokens / step);
    counts[bin] = (counts[bin] as number) + 1;
  }
  let [seen, bin] = [0, 0];
  for (; bin < counts.length && seen < 0.98 * rows; bin++) seen += counts[bin] as number;
  return Math.ceil(bin * step);
}

function add(sum: LengthLoss, { rows, tokens, targetTokens, tokensBeyond }: LengthLoss): void {
  sum.rows += rows;
  sum.tokens += tokens;
  sum.targetTokens += targetTokens;
  sum.tokensBeyond += tokensBeyond;
}
