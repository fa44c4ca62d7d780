/** One compared value of a golden folder. `error` and `tolerance` are in the unit that `metric` names. */
export interface Quantity {
  readonly name: string;
  readonly metric: Metric;
  readonly error: number;
  readonly tolerance: number;
  readonly passed: boolean;
}

/**
 * max: largest absolute difference. relative: largest difference relative to the reference value.
 * nmse: Σ(a - b)² / Σb². peak: largest difference relative to the largest reference value.
 * mismatches: number of values that differ.
 */
export type Metric = 'max' | 'relative' | 'nmse' | 'peak' | 'mismatches';

type Values = ArrayLike<number>;

interface GradientTolerance {
  readonly nmse: number;
  readonly peak: number;
}

/** For float32; docs/numerics.md lists them. */
export const tolerances = {
  /** Hidden states and logits. */
  activation: 1e-4,
  /** NMSE of hidden states and logits for each layer that has rounded by then: 7·10⁻⁷ relative, some units in the last place. What `max` forgives shows here. */
  roundingPerLayer: 5e-13,
  loss: 1e-5,
  /**
   * Of what depends on the largest singular values of weights (PiSSA): weights and logits. Where the last of them is 1 % above the next,
   * rounding to float32 moves what is left by 100 times as much; PEFT's own are some times as far from those in float64 as ours.
   */
  decomposed: { nmse: 1e-8, max: 1e-3 },
  /** The largest difference beside the NMSE, which a single wrong value of a large tensor hardly moves. */
  gradient: { nmse: 1e-8, peak: 1e-3 },
  /**
   * Of what the decays of the gated delta rule are made of: sums over tokens of terms that cancel. Of 14 folders with other seeds the
   * reference in float32 was up to 1.8e-6 from its repetition in float64; ours, in the folder here, is 6e-11 (docs/numerics.md).
   */
  decayGradient: { nmse: 1e-5, peak: 5e-3 },
  /** Largest value where the reference has none above it either, and no ratio to it means anything: what rounding leaves of sums that cancel. */
  gradientOfZero: 1e-7,
  curve: 1e-4,
  /** Of the largest logit after the curve's ten steps. Two of 84 other random checkpoints were 1.5e-4 and 2.6e-4 away. A value that is 1 % wrong is 1e-2 away. */
  merged: 1e-3,
} as const;

export function nmse(name: string, ours: Values, reference: Values, tolerance: number): Quantity {
  let error = lengthsDiffer(ours, reference) ? Number.POSITIVE_INFINITY : 0;
  let squares = 0;
  for (let i = 0; i < reference.length; i++) {
    error += ((ours[i] as number) - (reference[i] as number)) ** 2;
    squares += (reference[i] as number) ** 2;
  }
  return quantity(name, 'nmse', error / squares, tolerance);
}

export function maxDifference(name: string, ours: Values, reference: Values, tolerance: number): Quantity {
  return measured(name, 'max', ours, reference, tolerance, (a, b) => Math.abs(a - b));
}

export function relativeDifference(name: string, ours: Values, reference: Values, tolerance: number): Quantity {
  return measured(name, 'relative', ours, reference, tolerance, (a, b) =>
    a === b ? 0 : Math.abs(a - b) / Math.abs(b),
  );
}

/** Hidden states and logits: nowhere far off, and on the whole no further than the rounding of `layers` layers goes. */
export function activationDifference(name: string, ours: Values, reference: Values, layers: number): Quantity[] {
  return [
    maxDifference(name, ours, reference, tolerances.activation),
    nmse(name, ours, reference, tolerances.roundingPerLayer * layers),
  ];
}

export function decomposedDifference(name: string, ours: Values, reference: Values): Quantity[] {
  const { nmse: square, max } = tolerances.decomposed;
  return [maxDifference(name, ours, reference, max), nmse(name, ours, reference, square)];
}

/**
 * Both ways in which a gradient can be wrong: everywhere a little, or in one place. One that is 0 throughout, as that of q and k where
 * a query sees itself alone, is compared by its size, and so is what rounding has left of one, as that of the biases of k where no rope turns them.
 */
export function gradientDifference(
  name: string,
  ours: Values,
  reference: Values,
  tolerance: GradientTolerance = tolerances.gradient,
): Quantity[] {
  if (Array.from(reference).every((value) => Math.abs(value) <= tolerances.gradientOfZero)) {
    return [maxDifference(name, ours, reference, tolerances.gradientOfZero)];
  }
  return [nmse(name, ours, reference, tolerance.nmse), peakDifference(name, ours, reference, tolerance.peak)];
}

/** The tolerance of the gradient of this variable, as `gradientVariable` names it. */
export function gradientTolerance(variable: string): GradientTolerance {
  const isOfDecay = /\.delta_(decay|shift|a)\b/.test(variable); // `gradient/layers.0.delta_decay`
  return isOfDecay ? tolerances.decayGradient : tolerances.gradient;
}

export function peakDifference(name: string, ours: Values, reference: Values, tolerance: number): Quantity {
  let peak = 0;
  for (let i = 0; i < reference.length; i++) peak = Math.max(peak, Math.abs(reference[i] as number));
  return measured(name, 'peak', ours, reference, tolerance, (a, b) => Math.abs(a - b) / peak);
}

export function mismatches(name: string, ours: ArrayLike<unknown>, reference: ArrayLike<unknown>): Quantity {
  let count = Math.abs(ours.length - reference.length);
  for (let i = 0; i < Math.min(ours.length, reference.length); i++) if (ours[i] !== reference[i]) count++;
  return quantity(name, 'mismatches', count, 0);
}

/** NaN fails: it is not at most the tolerance. */
export function quantity(name: string, metric: Metric, error: number, tolerance: number): Quantity {
  return { name, metric, error, tolerance, passed: error <= tolerance };
}

function measured(
  name: string,
  metric: Metric,
  ours: Values,
  reference: Values,
  tolerance: number,
  difference: (a: number, b: number) => number,
): Quantity {
  let worst = lengthsDiffer(ours, reference) ? Number.POSITIVE_INFINITY : 0;
  for (let i = 0; i < reference.length; i++) {
    const error = difference(ours[i] as number, reference[i] as number);
    if (!(error <= worst)) worst = error;
    if (Number.isNaN(worst)) break;
  }
  return quantity(name, metric, worst, tolerance);
}

function lengthsDiffer(ours: Values, reference: Values): boolean {
  return ours.length !== reference.length || reference.length === 0;
}
