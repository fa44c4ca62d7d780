/** Rotary position embedding. */
export interface RopeConfig {
  readonly theta: number;
  readonly scaling: RopeScaling | null;
}

export type RopeScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  /** Sequences beyond the original context have a larger base, by their length. */
  | { readonly kind: 'dynamic'; readonly factor: number; readonly originalMaxPositions: number }
  /** Only this part of the pairs is turned, by angles as if all were: the others keep still. */
  | { readonly kind: 'proportional'; readonly part: number; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalMaxPositions: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Multiplies cos and sin; stated in the config or 0.1 · ln(factor) + 1 and its DeepSeek variant with mscale. */
      readonly attentionFactor: number;
      /** Whether the ramp's ends are rounded outwards to whole dimensions. */
      readonly truncate: boolean;
    }
  | {
      /** LongRoPE: every frequency is divided by a factor of its own, in sequences beyond the original context by another one. */
      readonly kind: 'longrope';
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      readonly originalMaxPositions: number;
      readonly attentionFactor: number;
    };

/** Queries are multiplied by 1 + beta · ln(1 + ⌊position / originalMaxPositions⌋), as in Llama 4. */
export interface QueryScaling {
  readonly beta: number;
  readonly originalMaxPositions: number;
}

export interface RopeFrequencies {
  /** [size / 2], radians per position. */
  readonly inverse: Float32Array;
  /** Instead of them in sequences beyond the original context; null where all are treated alike. */
  readonly long: Float32Array | null;
  /** Multiplies cos and sin. */
  readonly attentionScale: number;
}

/** Ding et al. 2024 (LongRoPE), as transformers computes it where a config does not state it. */
export function longRopeAttentionFactor(factor: number, originalMaxPositions: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions));
}

/** Peng et al. 2023 (YaRN), equation 22. */
export function yarnAttentionFactor(factor: number, mscale = 1): number {
  return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
}

/**
 * The angle by which each pair of dimensions turns per position. Every operation is rounded to float32 where
 * transformers does it in float32: at position 100,000 one unit in the last place is already a visible angle.
 * @param size of the part of a head that turns
 */
export function inverseFrequencies(size: number, rope: RopeConfig): RopeFrequencies {
  const wave = Float32Array.from(
    { length: size / 2 },
    (_, pair) => rope.theta ** Math.fround(Math.fround(2 * pair) / size),
  );
  const plain = wave.map((value) => 1 / value);
  const scaling = rope.scaling;
  switch (scaling?.kind) {
    case undefined:
    case 'dynamic': // what the base grows by the tables know, as it depends on the length
      return { inverse: plain, long: null, attentionScale: 1 };
    case 'linear':
      return { inverse: plain.map((value) => value / scaling.factor), long: null, attentionScale: 1 };
    case 'proportional': {
      const turned = Math.floor((scaling.part * size) / 2);
      const inverse = plain.map((value, pair) => (pair < turned ? value / scaling.factor : 0));
      return { inverse, long: null, attentionScale: 1 };
    }
    case 'llama3':
      return { inverse: plain.map((value) => llama3Frequency(value, scaling)), long: null, attentionScale: 1 };
    case 'yarn': {
      const [low, high] = yarnRampEnds(size, rope.theta, scaling);
      const inverse = wave.map((value, pair) => {
        const ramp = Math.min(1, Math.max(0, Math.fround(Math.fround(pair - low) / Math.fround(high - low))));
        const extrapolated = Math.fround(1 - ramp);
        const interpolation = Math.fround(1 / Math.fround(scaling.factor * value));
        const kept = Math.fround(Math.fround(1 / value) * extrapolated);
        return Math.fround(interpolation * Math.fround(1 - extrapolated)) + kept;
      });
      return { inverse, long: null, attentionScale: scaling.attentionFactor };
    }
    case 'longrope': {
      const divided = (factors: readonly number[]): Float32Array =>
        wave.map((value, pair) => 1 / Math.fround(Math.fround(factors[pair] as number) * value));
      return {
        inverse: divided(scaling.shortFactors),
        long: divided(scaling.longFactors),
        attentionScale: scaling.attentionFactor,
      };
    }
  }
}

/** Wavelengths beyond the original context are stretched, short ones kept, those between blended (Llama 3.1). */
function llama3Frequency(frequency: number, s: Extract<RopeScaling, { kind: 'llama3' }>): number {
  const wavelength = Math.fround((2 * Math.PI) / frequency);
  if (wavelength > s.originalMaxPositions / s.lowFreqFactor) return frequency / s.factor;
  if (wavelength < s.originalMaxPositions / s.highFreqFactor) return frequency;
  const rotations = Math.fround(s.originalMaxPositions / wavelength);
  const smooth = Math.fround(Math.fround(rotations - s.lowFreqFactor) / (s.highFreqFactor - s.lowFreqFactor));
  const stretched = Math.fround(Math.fround(Math.fround(1 - smooth) * frequency) / s.factor);
  return stretched + Math.fround(smooth * frequency);
}

/** The dimensions between which YaRN goes from keeping a frequency to dividing it by the factor. */
function yarnRampEnds(headSize: number, theta: number, s: Extract<RopeScaling, { kind: 'yarn' }>): [number, number] {
  const dimension = (rotations: number): number =>
    (headSize * Math.log(s.originalMaxPositions / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  let low = dimension(s.betaFast);
  let high = dimension(s.betaSlow);
  if (s.truncate) [low, high] = [Math.floor(low), Math.ceil(high)];
  low = Math.max(low, 0);
  high = Math.min(high, headSize - 1);
  return [low, low === high ? high + 0.001 : high];
}
