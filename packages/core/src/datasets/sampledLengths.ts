/** What the lengths of rows chosen at random say of all rows: each figure with the margin that 95 % of such samples keep to. */
import type { LengthLoss, RowLengths } from '../protocol/dataView.ts';
import { rowLengths } from './rowLengths.ts';
import type { RowTable } from './rowTable.ts';

const quantile = 1.96;
/** What no row of n shows is, in 95 % of all cases, true of at most 3 / n of all. */
const ofNone = 3;

/** @param sample drawn without putting back, in whatever order; @param of how many rows there are */
export function sampledLengths(sample: RowTable, sequenceLen: number, of: number): RowLengths {
  const exact = rowLengths(sample, sequenceLen);
  const { count } = sample;
  if (count === of) return exact;
  const scale = of / count;
  const total = (value: number) => Math.round(scale * value);
  const scaled = ({ rows, tokens, targetTokens, tokensBeyond }: LengthLoss): LengthLoss => ({
    rows: total(rows),
    tokens: total(tokens),
    targetTokens: total(targetTokens),
    tokensBeyond: total(tokensBeyond),
  });
  /** Of the sum over all rows of something that the rows of the sample have. */
  const margin = (valueOf: (row: number) => number): number => {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < count; row++) {
      const value = valueOf(row);
      sum += value;
      squares += value * value;
    }
    const variance = Math.max(0, squares - (sum * sum) / count) / Math.max(1, count - 1);
    return Math.ceil(quantile * of * Math.sqrt((variance / count) * (1 - count / of)));
  };
  const rowsMargin = (isOne: (row: number) => boolean): number => {
    const found = margin((row) => Number(isOne(row)));
    return found === 0 ? Math.min(of - count, Math.ceil(ofNone * scale)) : found;
  };
  const tokens = (row: number) => sample.tokens(row) ?? 0;
  const marginsAt = (limit: number): LengthLoss => {
    const isLonger = (row: number) => !sample.isText(row) && tokens(row) > limit;
    return {
      rows: rowsMargin(isLonger),
      tokens: margin((row) => (isLonger(row) ? tokens(row) : 0)),
      targetTokens: margin((row) => (isLonger(row) ? (sample.targetTokens(row) ?? 0) : 0)),
      tokensBeyond: margin((row) => (isLonger(row) ? tokens(row) - limit : 0)),
    };
  };
  const { width, rows } = exact;
  const binOf = (row: number) => {
    const length = sample.tokens(row);
    return length === null ? -1 : Math.min(rows.length - 1, Math.floor(length / width));
  };
  return {
    ...exact,
    rows: rows.map(total),
    totalRows: total(exact.totalRows),
    totalTokens: total(exact.totalTokens),
    totalTargetTokens: total(exact.totalTargetTokens),
    loss: scaled(exact.loss),
    lossOfBin: exact.lossOfBin.map(scaled),
    sample: {
      rows: count,
      of,
      margins: rows.map((_, bin) => rowsMargin((row) => binOf(row) === bin)),
      loss: marginsAt(sequenceLen),
      lossOfBin: rows.map((_, bin) => marginsAt(bin * width - 1)),
      ofNone: rowsMargin(() => false),
    },
  };
}
