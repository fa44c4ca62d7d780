/** The gated delta rule token by token in float64, and its gradients by going back through the tokens. */
import { dot, type Matrix, rowTimes, sigmoid, softplus, timesColumn, zeros } from '../../src/cases/mathematics.ts';
import type { Values } from '../../src/cases/values.ts';

export interface HeadSizes {
  readonly tokens: number;
  readonly keyHeads: number;
  readonly heads: number;
  readonly keySize: number;
  readonly valueSize: number;
}

export type DeltaInputs = Readonly<Record<'qkv' | 'a' | 'b' | 'decay' | 'shift', Values>>;

const addOuter = (S: Matrix, x: readonly number[], y: readonly number[], factor = 1): Matrix =>
  S.map((row, r) => row.map((value, c) => value + factor * (x[r] as number) * (y[c] as number)));

/** What a token and head are made of, with the columns of x they come from. */
function tokenOf({ qkv, a, b, decay, shift }: DeltaInputs, sizes: HeadSizes, t: number, head: number) {
  const { keyHeads, heads, keySize, valueSize } = sizes;
  const keyHead = Math.floor(head / (heads / keyHeads));
  const columns = {
    q: keyHead * keySize,
    k: (keyHeads + keyHead) * keySize,
    v: 2 * keyHeads * keySize + head * valueSize,
  };
  const read = (from: number, size: number) => Array.from({ length: size }, (_, c) => qkv.at(t, from + c));
  const normed = (from: number, scale: number) => {
    const x = read(from, keySize);
    const factor = 1 / Math.sqrt(dot(x, x) + 1e-6);
    return { x, factor, scale, y: x.map((value) => scale * factor * value) };
  };
  const gate = a.at(t, head) + shift.at(head);
  const rate = -Math.exp(decay.at(head));
  return {
    columns,
    q: normed(columns.q, 1 / Math.sqrt(keySize)),
    k: normed(columns.k, 1),
    v: read(columns.v, valueSize),
    beta: sigmoid(b.at(t, head)),
    g: rate * softplus(gate),
    rate,
    gate,
  };
}

function step(S: Matrix, { q, k, v, beta, g }: ReturnType<typeof tokenOf>) {
  const decayed = S.map((row) => row.map((value) => Math.exp(g) * value));
  const known = rowTimes(k.y, decayed);
  const change = v.map((value, c) => beta * (value - (known[c] as number)));
  const next = addOuter(decayed, k.y, change);
  return { decayed, known, change, next, out: rowTimes(q.y, next) };
}

/** @param ends where documents begin and end  @param before a document's states of all heads, [heads · keySize, valueSize], or null for zeros */
export function deltaRule(
  inputs: DeltaInputs,
  sizes: HeadSizes,
  ends: readonly number[],
  before: (document: number) => ((row: number, column: number) => number) | null = () => null,
): { readonly out: Matrix; readonly states: readonly Matrix[] } {
  const { tokens, heads, keySize, valueSize } = sizes;
  const out = zeros(tokens, heads * valueSize);
  const states = ends.slice(1).map((end, document) => {
    const state: Matrix = [];
    const held = before(document);
    for (let head = 0; head < heads; head++) {
      let S = zeros(keySize, valueSize);
      if (held) S = S.map((row, r) => row.map((_, c) => held(head * keySize + r, c)));
      for (let t = ends[document] as number; t < end; t++) {
        const made = step(S, tokenOf(inputs, sizes, t, head));
        made.out.forEach((value, c) => ((out[t] as number[])[head * valueSize + c] = value));
        S = made.next;
      }
      state.push(...S);
    }
    return state;
  });
  return { out, states };
}

export function deltaSlopes(inputs: DeltaInputs, sizes: HeadSizes, ends: readonly number[], dout: Values) {
  const { tokens, keyHeads, heads, keySize, valueSize } = sizes;
  const dqkv = zeros(tokens, 2 * keyHeads * keySize + heads * valueSize);
  const [da, db] = [zeros(tokens, heads), zeros(tokens, heads)];
  const [decay, shift] = [Array<number>(heads).fill(0), Array<number>(heads).fill(0)];
  const largest = { decay: 0, shift: 0 };
  const add = (t: number, column: number, values: readonly number[]) =>
    values.forEach((value, c) => ((dqkv[t] as number[])[column + c] = (dqkv[t]?.[column + c] as number) + value));
  for (let head = 0; head < heads; head++) {
    const states: Matrix[] = [];
    let S = zeros(keySize, valueSize);
    for (let t = 0; t < tokens; t++) {
      if (ends.includes(t)) S = zeros(keySize, valueSize);
      states.push(S);
      S = step(S, tokenOf(inputs, sizes, t, head)).next;
    }
    let dS = zeros(keySize, valueSize);
    for (let t = tokens - 1; t >= 0; t--) {
      if (ends.includes(t + 1)) dS = zeros(keySize, valueSize);
      const token = tokenOf(inputs, sizes, t, head);
      const { decayed, known, change, next } = step(states[t] as Matrix, token);
      const { q, k, v, beta, g, rate, gate, columns } = token;
      const d = Array.from({ length: valueSize }, (_, c) => dout.at(t, head * valueSize + c));
      const dNext = addOuter(dS, q.y, d);
      const dChange = rowTimes(k.y, dNext);
      const dDecayed = addOuter(dNext, k.y, dChange, -beta);
      const ofKnown = timesColumn(decayed, dChange);
      const dk = timesColumn(dNext, change).map((value, c) => value - beta * (ofKnown[c] as number));
      add(t, columns.q, lengthSlopes(q, timesColumn(next, d)));
      add(t, columns.k, lengthSlopes(k, dk));
      add(
        t,
        columns.v,
        dChange.map((value) => beta * value),
      );
      const dBeta = dot(
        dChange,
        v.map((value, c) => value - (known[c] as number)),
      );
      (db[t] as number[])[head] = dBeta * beta * (1 - beta);
      const dg = dDecayed.reduce((sum, row, r) => sum + dot(row, decayed[r] as number[]), 0);
      const dGate = dg * rate * sigmoid(gate);
      (da[t] as number[])[head] = dGate;
      decay[head] = (decay[head] as number) + dg * g;
      shift[head] = (shift[head] as number) + dGate;
      largest.decay += Math.abs(dg * g);
      largest.shift += Math.abs(dGate);
      dS = dDecayed.map((row) => row.map((value) => Math.exp(g) * value));
    }
  }
  return { dqkv, da, db, decay, shift, sizes: largest };
}

/** Of x where y = scale · x / |x|. */
function lengthSlopes(
  { x, factor, scale }: { readonly x: readonly number[]; readonly factor: number; readonly scale: number },
  dy: readonly number[],
): number[] {
  const along = factor ** 2 * dot(x, dy);
  return dy.map((value, c) => scale * factor * (value - along * (x[c] as number)));
}
