/** The smoothed loss: an exponential moving average that does not start at zero. Browser-safe. */

/** Where an average stands after some values, so that it can go on with the next. */
export interface Smoothing {
  /** Share of the past in each new value: 0 is the raw series, 0.99 about the last hundred values. */
  factor: number;
  sum: number;
  weight: number;
}

export function startSmoothing(factor: number): Smoothing {
  return { factor, sum: 0, weight: 0 };
}

/**
 * Counts `value` in and returns the average after it. The sum is divided by the weights so far: without that the first
 * values would be drawn towards zero. A value that is not finite leaves the average as it was, and is `null` itself.
 */
export function smoothNext(state: Smoothing, value: number | null): number | null {
  if (value === null || !Number.isFinite(value)) return null;
  state.sum = state.factor * state.sum + (1 - state.factor) * value;
  state.weight = state.factor * state.weight + (1 - state.factor);
  return state.sum / state.weight;
}
