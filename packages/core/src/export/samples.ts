import type { WritableType } from '@anneal/formats/gguf/write';

/** Weights of one quantisation block; every quantised type here has blocks of 32. */
const RUN = 32;
const RUNS = 64;

/**
 * What a stored weight may differ from the original by, as a share of the largest magnitude in its block: half a step
 * of the type's grid, for Q4_0 and Q5_0 a whole one, since they cut off the positive end of the range.
 */
const SHARE: Readonly<Record<WritableType, number>> = {
  F32: 0,
  F16: 2 ** -11,
  BF16: 2 ** -8,
  Q8_0: 0.0045,
  Q5_0: 0.064,
  Q4_0: 0.127,
};

/** Block scales are halves, which end at 2⁻²⁴: below that, nothing of a weight need remain. */
const SMALLEST: Readonly<Record<WritableType, number>> = {
  F32: 0,
  F16: 2 ** -25,
  BF16: 0,
  Q8_0: 128 * 2 ** -25,
  Q5_0: 16 * 2 ** -25,
  Q4_0: 8 * 2 ** -25,
};

/** Evenly spread blocks of a tensor, kept to recognise it when it is read back. */
export class WeightSamples {
  readonly #length: number;
  readonly #runs: { readonly start: number; readonly weights: Float32Array }[] = [];

  constructor(weights: Float32Array) {
    this.#length = weights.length;
    const blocks = Math.ceil(weights.length / RUN);
    for (let run = 0; run < Math.min(RUNS, blocks); run++) {
      const start = Math.floor((run * blocks) / Math.min(RUNS, blocks)) * RUN;
      this.#runs.push({ start, weights: weights.slice(start, start + RUN) });
    }
  }

  /** The first weight that is not what `type` makes of the original, or null. */
  mismatch(stored: Float32Array, type: WritableType): { index: number; expected: number; found: number } | null {
    if (stored.length !== this.#length) return { index: -1, expected: this.#length, found: stored.length };
    for (const { start, weights } of this.#runs) {
      const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
      const allowed = largest * SHARE[type] + SMALLEST[type];
      for (const [i, expected] of weights.entries()) {
        const found = stored[start + i] ?? Number.NaN;
        if (!(Math.abs(found - expected) <= allowed)) return { index: start + i, expected, found };
      }
    }
    return null;
  }
}
