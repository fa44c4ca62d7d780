import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from '@anneal/formats/json';
import type { ModelConfig } from './config.ts';
import type { Fields } from './fields.ts';
import { longRopeAttentionFactor, type QueryScaling, type RopeConfig, yarnAttentionFactor } from './rope.ts';

/** What of rope an architecture implements besides one kind for all layers that turns whole heads. */
export interface RopeTraits {
  /** Layers with and without a window may have ropes of their own. */
  readonly ropePerLayerType?: boolean;
  readonly partialRotary?: boolean;
  readonly scalesQueries?: boolean;
  readonly proportionalRope?: boolean;
  /** What `yarn` says has the factors of LongRoPE. */
  readonly yarnIsLongRope?: boolean;
  /** Of config.json that has neither rope_parameters nor rope_scaling; without it rope_theta alone counts. */
  readonly defaultRope?: JsonObject;
}

type RopeFields = Pick<ModelConfig, 'rope' | 'slidingRope' | 'rotarySize' | 'queryScaling'>;

/**
 * Reads `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (transformers 4).
 * @throws UserError for what the architecture does not implement, an unknown type, or a wrong value
 */
export function readRopes(
  written: Fields,
  { headSize, maxPositions }: { readonly headSize: number; readonly maxPositions: number },
  traits: RopeTraits,
): RopeFields {
  const saysRope = written.has('rope_parameters') || written.has('rope_scaling');
  const fields = saysRope || !traits.defaultRope ? written : written.with('rope_parameters', traits.defaultRope);
  const ofTypes = traits.ropePerLayerType ? parametersOfTypes(fields) : null;
  const shared = ofTypes ? null : sharedParameters(fields);
  const [full, sliding] = ofTypes ?? [shared, null];
  const rotarySize = rotarySizeOf([full, sliding, fields], headSize, traits);
  const read = (parameters: Fields | null, ofAll = fields): RopeConfig =>
    readParameters(ofAll, parameters, maxPositions, traits);
  const rope = read(full);
  if (rope.scaling?.kind === 'proportional' && !traits.proportionalRope)
    throw fields.unsupported('rope type proportional is not implemented for this model type', 'use another model');
  const local = traits.ropePerLayerType ? localFields(fields) : null;
  const slidingRope = sliding ? read(sliding, local ?? fields) : local && read(null, local);
  const { scaling } = rope;
  if (scaling?.kind === 'dynamic' && (scaling.factor < 1 || rotarySize < 4))
    throw (full ?? fields).wrong('factor', 'a number from 1 on, of heads that turn 4 values or more');
  if (scaling?.kind === 'longrope') {
    const counts = [scaling.shortFactors, scaling.longFactors].map((factors) => factors.length);
    if (counts.some((count) => count !== rotarySize / 2))
      throw (full ?? fields).wrong('long_factor', `as short_factor a list of ${rotarySize / 2} numbers`);
  }
  return {
    rope,
    slidingRope: isDeepStrictEqual(slidingRope, rope) ? null : slidingRope,
    rotarySize,
    queryScaling: full && traits.scalesQueries ? queryScaling(full) : null,
  };
}

function readParameters(
  fields: Fields,
  parameters: Fields | null,
  maxPositions: number,
  { yarnIsLongRope = false }: RopeTraits,
): RopeConfig {
  const theta = parameters?.has('rope_theta')
    ? parameters.positive('rope_theta')
    : fields.positive('rope_theta', 10_000);
  if (!parameters) return { theta, scaling: null };
  const original = (): number =>
    fields.has('original_max_position_embeddings')
      ? fields.count('original_max_position_embeddings')
      : parameters.count('original_max_position_embeddings', maxPositions);
  const written = parameters.string('rope_type', parameters.string('type', 'default'));
  const kind = written === 'yarn' && yarnIsLongRope ? 'longrope' : written;
  switch (kind) {
    case 'default':
      return { theta, scaling: null };
    case 'linear':
      return { theta, scaling: { kind, factor: parameters.positive('factor') } };
    case 'dynamic':
      // By max_position_embeddings alone, as in transformers, whatever original_max_position_embeddings says.
      return { theta, scaling: { kind, factor: parameters.positive('factor'), originalMaxPositions: maxPositions } };
    case 'proportional': {
      const part = parameters.positive('partial_rotary_factor', 1);
      if (part > 1) throw parameters.wrong('partial_rotary_factor', 'a number up to 1');
      return { theta, scaling: { kind, part, factor: parameters.positive('factor', 1) } };
    }
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
    case 'longrope':
    case 'su': // its name in files of 2024
      return { theta, scaling: readLongRope(parameters, original(), maxPositions) };
    default:
      throw parameters.unsupported(
        `rope type ${kind} is not implemented; known are default, linear, dynamic, llama3, yarn, longrope, proportional`,
        'use another model, or add the type in models/rope.ts',
      );
  }
}

function readLongRope(parameters: Fields, originalMaxPositions: number, maxPositions: number): RopeConfig['scaling'] {
  const factor = parameters.positive('factor', maxPositions / originalMaxPositions);
  const usual = longRopeAttentionFactor(factor, originalMaxPositions);
  return {
    kind: 'longrope',
    shortFactors: parameters.positives('short_factor'),
    longFactors: parameters.positives('long_factor'),
    originalMaxPositions,
    attentionFactor: parameters.positive('attention_factor', usual),
  };
}

/** Of layers without and with a window, where `rope_parameters` is nested by the type of a layer; else null. */
function parametersOfTypes(fields: Fields): readonly [full: Fields | null, sliding: Fields | null] | null {
  const written = fields.raw('rope_parameters');
  const parameters = fields.object('rope_parameters');
  if (!parameters || !isNested(written)) return null;
  const types = new Set(fields.strings('layer_types') ?? Object.keys(written));
  const of = (type: string): Fields | null => {
    if (types.has(type) && !parameters.has(type))
      throw fields.wrong('rope_parameters', `an object with the key ${type}`);
    return parameters.object(type);
  };
  const [full, sliding] = [of('full_attention'), of('sliding_attention')];
  return full ? [full, sliding] : [sliding, null];
}

/** `rope_parameters`, which may be nested by the type of a layer; the types that the model has must then be alike. */
function sharedParameters(fields: Fields): Fields | null {
  const scaling = fields.object('rope_scaling');
  const parameters = fields.object('rope_parameters');
  const written = fields.raw('rope_parameters');
  if (scaling || !parameters || !isNested(written)) return scaling ?? parameters;
  const named = Object.keys(written);
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

function isNested(parameters: unknown): parameters is Readonly<Record<string, unknown>> {
  if (!isJsonObject(parameters)) return false;
  const values = Object.values(parameters);
  return values.length > 0 && values.every(isJsonObject);
}

/** transformers 4 knows the other rope of layers with a window by its base alone. */
const localFields = (fields: Fields): Fields | null =>
  fields.has('rope_local_base_freq') ? fields.with('rope_theta', fields.raw('rope_local_base_freq')) : null;

function rotarySizeOf(holders: readonly (Fields | null)[], headSize: number, traits: RopeTraits): number {
  const holder = holders.find(
    (fields) => fields?.has('partial_rotary_factor') && fields.raw('rope_type') !== 'proportional',
  );
  const part = holder?.positive('partial_rotary_factor') ?? 1;
  if (!holder || part === 1) return headSize;
  if (!traits.partialRotary)
    throw holder.unsupported(
      'partial rotary embeddings (partial_rotary_factor) are not implemented for this model type',
      'use another model',
    );
  // Of GGUF it is a quotient of two whole numbers, which may have been rounded down.
  const size = Math.floor(headSize * part + 1e-6);
  if (size < 2 || size > headSize || size % 2 !== 0)
    throw holder.wrong('partial_rotary_factor', `a part of the head size ${headSize} that is an even number`);
  return size;
}

function queryScaling(parameters: Fields): QueryScaling | null {
  const beta = parameters.notNegative('llama_4_scaling_beta', 0);
  if (beta === 0) return null;
  return {
    beta,
    originalMaxPositions: parameters.count('original_max_position_embeddings'),
  };
}

function readAttentionFactor(parameters: Fields, factor: number): number {
  if (parameters.has('attention_factor')) return parameters.positive('attention_factor');
  if (parameters.raw('mscale') && parameters.raw('mscale_all_dim')) {
    const numerator = yarnAttentionFactor(factor, parameters.positive('mscale'));
    return numerator / yarnAttentionFactor(factor, parameters.positive('mscale_all_dim'));
  }
  return yarnAttentionFactor(factor);
}
