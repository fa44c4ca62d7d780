/** State space layers token by token in float64, and their gradients by going back through the tokens. */
import { dot, type Matrix, rowTimes, softplus, timesColumn, zeros } from '../../src/cases/mathematics.ts';
import type { Values } from '../../src/cases/values.ts';

export interface StateSizes {
  readonly tokens: number;
  readonly heads: number;
  readonly groups: number;
  readonly stateSize: number;
  readonly headSize: number;
}

export type StateInputs = Readonly<Record<'xbc' | 'dt' | 'decay' | 'shift' | 'skip', Values>>;

/** factor · S + x yᵀ. */
const plusOuter = (S: Matrix, factor: number, x: readonly number[], y: readonly number[]): Matrix =>
  S.map((row, r) => row.map((value, c) => factor * value + (x[r] as number) * (y[c] as number)));

/** What a token and head are made of, with the columns they come from. */
function tokenOf({ xbc, dt, decay, shift, skip }: StateInputs, sizes: StateSizes, t: number, head: number) {
  const { heads, groups, stateSize, headSize } = sizes;
  const group = Math.floor(head / (heads / groups));
  const columns = {
    x: head * headSize,
    b: heads * headSize + group * stateSize,
    c: heads * headSize + (groups + group) * stateSize,
  };
  const read = (from: number, size: number) => Array.from({ length: size }, (_, c) => xbc.at(t, from + c));
  const raw = dt.at(t, head) + shift.at(head);
  const rate = -Math.exp(decay.at(head));
  return {
    columns,
    x: read(columns.x, headSize),
    b: read(columns.b, stateSize),
    c: read(columns.c, stateSize),
    raw,
    step: softplus(raw),
    rate,
    factor: Math.exp(rate * softplus(raw)),
    skip: skip.at(head),
  };
}

type Token = ReturnType<typeof tokenOf>;

function next(S: Matrix, { b, x, step, factor }: Token): Matrix {
  return plusOuter(
    S,
    factor,
    b,
    x.map((value) => step * value),
  );
}

/** @param ends where documents begin and end  @param before a document's states of all heads, [heads · stateSize, headSize], or null for zeros */
export function stateSpaceValues(
  inputs: StateInputs,
  sizes: StateSizes,
  ends: readonly number[],
  before: (document: number) => ((row: number, column: number) => number) | null = () => null,
): { readonly y: Matrix; readonly states: readonly Matrix[] } {
  const { tokens, heads, stateSize, headSize } = sizes;
  const y = zeros(tokens, heads * headSize);
  const states = ends.slice(1).map((end, document) => {
    const state: Matrix = [];
    const held = before(document);
    for (let head = 0; head < heads; head++) {
      let S = zeros(stateSize, headSize);
      if (held) S = S.map((row, r) => row.map((_, c) => held(head * stateSize + r, c)));
      for (let t = ends[document] as number; t < end; t++) {
        const token = tokenOf(inputs, sizes, t, head);
        S = next(S, token);
        rowTimes(token.c, S).forEach((value, c) => {
          (y[t] as number[])[head * headSize + c] = value + token.skip * (token.x[c] as number);
        });
      }
      state.push(...S);
    }
    return state;
  });
  return { y, states };
}

export function stateSpaceSlopes(inputs: StateInputs, sizes: StateSizes, ends: readonly number[], dy: Values) {
  const { tokens, heads, groups, stateSize, headSize } = sizes;
  const dxbc = zeros(tokens, heads * headSize + 2 * groups * stateSize);
  const ddt = zeros(tokens, heads);
  const totals = { decay: Array<number>(heads), shift: Array<number>(heads), skip: Array<number>(heads) };
  const largest = { decay: 0, shift: 0, skip: 0 };
  const add = (t: number, column: number, values: readonly number[]) =>
    values.forEach((value, c) => ((dxbc[t] as number[])[column + c] = (dxbc[t]?.[column + c] as number) + value));
  for (let head = 0; head < heads; head++) {
    const states: Matrix[] = [];
    let S = zeros(stateSize, headSize);
    for (let t = 0; t < tokens; t++) {
      if (ends.includes(t)) S = zeros(stateSize, headSize);
      states.push(S);
      S = next(S, tokenOf(inputs, sizes, t, head));
    }
    let dS = zeros(stateSize, headSize);
    const sums = { decay: 0, shift: 0, skip: 0 };
    const count = (which: keyof typeof sums, value: number): void => {
      sums[which] += value;
      largest[which] += Math.abs(value);
    };
    for (let t = tokens - 1; t >= 0; t--) {
      if (ends.includes(t + 1)) dS = zeros(stateSize, headSize);
      const before = states[t] as Matrix;
      const token = tokenOf(inputs, sizes, t, head);
      const { x, b, c, step, rate, factor, raw, skip, columns } = token;
      const d = Array.from({ length: headSize }, (_, column) => dy.at(t, head * headSize + column));
      const dNext = plusOuter(dS, 1, c, d);
      const dv = rowTimes(b, dNext);
      add(
        t,
        columns.x,
        dv.map((value, i) => step * value + skip * (d[i] as number)),
      );
      add(
        t,
        columns.b,
        timesColumn(dNext, x).map((value) => step * value),
      );
      add(t, columns.c, timesColumn(next(before, token), d));
      const dg = factor * dNext.reduce((sum, row, r) => sum + dot(row, before[r] as number[]), 0);
      const dRaw = (dot(dv, x) + dg * rate) / (1 + Math.exp(-raw));
      (ddt[t] as number[])[head] = dRaw;
      count('decay', dg * rate * step);
      count('shift', dRaw);
      count('skip', dot(d, x));
      dS = dNext.map((row) => row.map((value) => factor * value));
    }
    for (const which of ['decay', 'shift', 'skip'] as const) totals[which][head] = sums[which];
  }
  return { dxbc, ddt, ...totals, sizes: largest };
}
