import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '@anneal/formats/json';
import type { Fields } from './fields.ts';

/** Rotary position embedding, rotating all of each head. */
export interface RopeConfig {
  readonly theta: number;
  readonly scaling: RopeScaling | null;
}

export type RopeScaling =
  | { readonly kind: 'linear'; readonly factor: number }
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
    };

export interface RopeFrequencies {
  /** [headSize / 2], radians per position. */
  readonly inverse: Float32Array;
  /** Multiplies cos and sin. */
  readonly attentionScale: number;
}

/**
 * Reads `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (transformers 4).
 * @throws UserError on an unknown type or a wrong value
 */
export function readRope(fields: Fields, maxPositions: number): RopeConfig {
  const parameters = fields.object('rope_scaling') ?? ropeParameters(fields);
  const theta = parameters?.has('rope_theta')
    ? parameters.positive('rope_theta')
    : fields.positive('rope_theta', 10_000);
  for (const holder of [fields, parameters]) {
    if (holder?.has('partial_rotary_factor') && holder.positive('partial_rotary_factor') !== 1) {
      throw holder.unsupported('partial rotary embeddings are not implemented', 'use another model');
    }
  }
  if (!parameters) return { theta, scaling: null };
  const original = (): number =>
    fields.has('original_max_position_embeddings')
      ? fields.count('original_max_position_embeddings')
      : parameters.count('original_max_position_embeddings', maxPositions);
  const kind = parameters.string('rope_type', parameters.string('type', 'default'));
  switch (kind) {
    case 'default':
      return { theta, scaling: null };
    case 'linear':
      return { theta, scaling: { kind, factor: parameters.positive('factor') } };
    case 'llama3': {
      const lowFreqFactor = parameters.positive('low_freq_factor');
      const highFreqFactor = parameters.positive('high_freq_factor');
      if (highFreqFactor <= lowFreqFactor)
        throw parameters.wrong('high_freq_factor', `above low_freq_factor ${lowFreqFactor}`);
      const factor = parameters.positive('factor');
      return { theta, scaling: { kind, factor, lowFreqFactor, highFreqFactor, originalMaxPositions: original() } };
    }
    case 'yarn': {
      const originalMaxPositions = original();
      const factor = parameters.positive('factor', maxPositions / originalMaxPositions);
      return {
        theta,
        scaling: {
          kind,
          factor,
          originalMaxPositions,
          betaFast: parameters.positive('beta_fast', 32),
          betaSlow: parameters.positive('beta_slow', 1),
          attentionFactor: readAttentionFactor(parameters, factor),
          truncate: parameters.boolean('truncate', true),
        },
      };
    }
    default:
      throw parameters.unsupported(
        `rope type ${kind} is not implemented; known are default, linear, llama3, yarn`,
        'use another model, or add the type in models/rope.ts',
      );
  }
}

/** `rope_parameters`, which may be nested by the type of a layer; the types that the model has must then be alike. */
function ropeParameters(fields: Fields): Fields | null {
  const parameters = fields.object('rope_parameters');
  const written = fields.raw('rope_parameters');
  if (!parameters || !isJsonObject(written)) return null;
  const named = Object.keys(written);
  if (named.length === 0 || !Object.values(written).every(isJsonObject)) return parameters;
  const types = [...new Set(fields.strings('layer_types') ?? named)];
  const missing = types.find((type) => !named.includes(type));
  if (missing !== undefined) throw fields.wrong('rope_parameters', `an object with the key ${missing}`);
  if (types.some((type) => !isDeepStrictEqual(written[type], written[types[0] as string]))) {
    throw fields.unsupported(
      `rope_parameters that differ between ${types.join(' and ')} layers are not implemented`,
      'use another model, or add what is missing (docs/add-a-model.md)',
    );
  }
  return parameters.object(types[0] as string);
}

function readAttentionFactor(parameters: Fields, factor: number): number {
  if (parameters.has('attention_factor')) return parameters.positive('attention_factor');
  if (parameters.raw('mscale') && parameters.raw('mscale_all_dim')) {
    const numerator = yarnAttentionFactor(factor, parameters.positive('mscale'));
    return numerator / yarnAttentionFactor(factor, parameters.positive('mscale_all_dim'));
  }
  return yarnAttentionFactor(factor);
}

/** Peng et al. 2023 (YaRN), equation 22. */
export function yarnAttentionFactor(factor: number, mscale = 1): number {
  return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
}

/**
 * The angle by which each pair of dimensions turns per position. Every operation is rounded to float32 where
 * transformers does it in float32: at position 100,000 one unit in the last place is already a visible angle.
 */
export function inverseFrequencies(headSize: number, rope: RopeConfig): RopeFrequencies {
  const wave = Float32Array.from(
    { length: headSize / 2 },
    (_, pair) => rope.theta ** Math.fround(Math.fround(2 * pair) / headSize),
  );
  const plain = wave.map((value) => 1 / value);
  const scaling = rope.scaling;
  switch (scaling?.kind) {
    case undefined:
      return { inverse: plain, attentionScale: 1 };
    case 'linear':
      return { inverse: plain.map((value) => value / scaling.factor), attentionScale: 1 };
    case 'llama3':
      return { inverse: plain.map((value) => llama3Frequency(value, scaling)), attentionScale: 1 };
    case 'yarn': {
      const [low, high] = yarnRampEnds(headSize, rope.theta, scaling);
      const inverse = wave.map((value, pair) => {
        const ramp = Math.min(1, Math.max(0, Math.fround(Math.fround(pair - low) / Math.fround(high - low))));
        const extrapolated = Math.fround(1 - ramp);
        const interpolation = Math.fround(1 / Math.fround(scaling.factor * value));
        const kept = Math.fround(Math.fround(1 / value) * extrapolated);
        return Math.fround(interpolation * Math.fround(1 - extrapolated)) + kept;
      });
      return { inverse, attentionScale: scaling.attentionFactor };
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
