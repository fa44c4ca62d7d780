/** What the references of several ops are made of, in float64. */

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export type Matrix = number[][];

export const zeros = (rows: number, columns: number): Matrix =>
  Array.from({ length: rows }, () => Array(columns).fill(0));
export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

/** S · column and row · S. */
export const timesColumn = (S: Matrix, x: readonly number[]): number[] => S.map((row) => dot(row, x));
export const rowTimes = (x: readonly number[], S: Matrix): number[] =>
  (S[0] as number[]).map((_, c) => S.reduce((sum, row, r) => sum + (x[r] as number) * (row[c] as number), 0));
