import { roundToBf16 } from '../../src/cases/numbers.ts';
import { bf16Roundoff, Values } from '../../src/cases/values.ts';
import type { ActivationType } from '../../src/tensor.ts';
import type { AttentionOptions } from './op.ts';

/** First and last key that the query of this row sees, in its document of the batch. */
export function visibleKeys(row: number, cuSeqlens: Values, window: number): { first: number; last: number } {
  let document = 0;
  while (cuSeqlens.at(document + 1) <= row) document++;
  const oldest = window > 0 ? row - window + 1 : 0;
  return { first: Math.max(cuSeqlens.at(document), oldest), last: row };
}

/** What products read. */
export function operand(values: Values, bf16: number): Values {
  return bf16 ? new Values(values.data.map(roundToBf16), values.columns) : values;
}

/**
 * A computed factor as a product reads it, and how far from it another one may be: next to the middle of two bf16 values an
 * error of the computation decides to which it is rounded. `size` as that error grows.
 */
export function factor(
  value: number,
  size: number,
  bf16: number,
  activationType: ActivationType,
): { value: number; otherRounding: number } {
  // A kernel of bfloat16 activations may round it for a product, or go on in float32.
  if (activationType === 'bf16') return { value, otherRounding: bf16Roundoff * Math.abs(value) };
  if (!bf16) return { value, otherRounding: 0 };
  const error = 2 ** -20 * size;
  return { value: roundToBf16(value), otherRounding: roundToBf16(value + error) - roundToBf16(value - error) };
}

export interface Score {
  readonly value: number;
  /** Σ|terms|: what rounding errors of the sum grow with. */
  readonly size: number;
  /** Of the soft cap there. */
  readonly slope: number;
}

/** scale · q·k, under the soft cap, of query row i and key row j for query head h. */
export function score(q: Values, i: number, k: Values, j: number, h: number, options: AttentionOptions): Score {
  const { headSize, scale, softCap } = options;
  const kvHead = Math.floor(h / (options.heads / options.kvHeads));
  let value = 0;
  let size = 0;
  for (let c = 0; c < headSize; c++) {
    const term = scale * q.at(i, h * headSize + c) * k.at(j, kvHead * headSize + c);
    value += term;
    size += Math.abs(term);
  }
  if (softCap === 0) return { value, size, slope: 1 };
  const share = Math.tanh(value / softCap);
  return { value: softCap * share, size: size + softCap * Math.abs(share), slope: 1 - share ** 2 };
}

/** Softmax weights over consecutive scores; `size` as the error of e^score grows. @param sink a score that has no weight, in the sum only */
export function softmax(
  scores: readonly Omit<Score, 'slope'>[],
  sink = -Infinity,
): {
  weights: number[];
  sizes: number[];
  logSumExp: Omit<Score, 'slope'>;
} {
  const maximum = Math.max(sink, ...scores.map(({ value }) => value));
  const total = scores.reduce((sum, { value }) => sum + Math.exp(value - maximum), Math.exp(sink - maximum));
  const largest = Math.max(...scores.map(({ size }) => size));
  const weights = scores.map(({ value }) => Math.exp(value - maximum) / total);
  return {
    weights,
    sizes: weights.map((weight) => weight * (1 + 2 * largest)),
    logSumExp: { value: maximum + Math.log(total), size: Math.abs(maximum) + Math.log(total) + largest + 1 },
  };
}
