import { UserError } from '../../errors.ts';
import type { ModelConfig } from '../config.ts';
import { inverseFrequencies, type RopeScaling } from '../rope.ts';

/** GGUF stores Llama 3's frequency scaling as the tensor `rope_freqs.weight`: what each frequency is divided by. */
export const ROPE_FACTORS = 'rope_freqs.weight';
/** Likewise LongRoPE's, which has two sets. */
export const LONG_ROPE_FACTORS = { short: 'rope_factors_short.weight', long: 'rope_factors_long.weight' } as const;

/** The tensors of a model's file that say how its frequencies are scaled. */
export function ropeTensors({ rope, rotarySize, globalAttention }: ModelConfig): ReadonlyMap<string, Float32Array> {
  const { scaling, theta } = rope;
  if (scaling?.kind === 'llama3') return new Map([[ROPE_FACTORS, ropeFactors(rotarySize, theta, scaling)]]);
  if (scaling?.kind === 'proportional')
    return new Map([[ROPE_FACTORS, proportionalFactors(globalAttention?.headSize ?? rotarySize, scaling)]]);
  if (scaling?.kind !== 'longrope') return new Map();
  return new Map([
    [LONG_ROPE_FACTORS.short, Float32Array.from(scaling.shortFactors)],
    [LONG_ROPE_FACTORS.long, Float32Array.from(scaling.longFactors)],
  ]);
}

type Llama3Scaling = Extract<RopeScaling, { kind: 'llama3' }>;
type ProportionalScaling = Extract<RopeScaling, { kind: 'proportional' }>;

/** What llama.cpp's converter divides the frequency of a pair by that keeps still. */
const STILL = 1e30;

function proportionalFactors(headSize: number, { part, factor }: ProportionalScaling): Float32Array {
  const turned = Math.floor((part * headSize) / 2);
  return Float32Array.from({ length: headSize / 2 }, (_, pair) => (pair < turned ? factor : STILL));
}

/** @throws UserError where the factors are not one of the first pairs, and those of pairs that keep still */
export function proportionalScalingOf(factors: Float32Array, where: string): Omit<ProportionalScaling, 'kind'> {
  const turned = factors.findLastIndex((factor) => factor < STILL / 2) + 1;
  const [factor = 1] = factors;
  if (turned > 0 && factors.subarray(0, turned).every((other) => other === factor && factor > 0))
    return { part: turned / factors.length, factor };
  throw new UserError({
    what: `${ROPE_FACTORS} does not turn the first pairs of each head alike and keep the others still`,
    where,
    next: 'use the Hugging Face folder of this model, whose config.json states its rope',
    code: 'model_unsupported',
  });
}

/** [headSize / 2] */
export function ropeFactors(headSize: number, theta: number, scaling: Llama3Scaling): Float32Array {
  const plain = inverseFrequencies(headSize, { theta, scaling: null }).inverse;
  const scaled = inverseFrequencies(headSize, { theta, scaling }).inverse;
  return plain.map((value, pair) => value / (scaled[pair] ?? Number.NaN));
}

/**
 * The rule behind stored factors. GGUF keeps no more than the factors, so the two wavelength bounds are Llama 3's own,
 * 1 and 4, and the result is accepted only if it gives the same factors again.
 * @throws UserError when it does not
 */
export function llama3ScalingOf(
  factors: Float32Array,
  theta: number,
  originalMaxPositions: number,
  where: string,
): Llama3Scaling {
  const scaling: Llama3Scaling = {
    kind: 'llama3',
    factor: factors.reduce((largest, factor) => Math.max(largest, factor), 1),
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions,
  };
  const again = ropeFactors(factors.length * 2, theta, scaling);
  if (again.every((factor, pair) => Math.abs(factor / (factors[pair] ?? 0) - 1) < 1e-4)) return scaling;
  throw new UserError({
    what: `${ROPE_FACTORS} does not follow Llama 3's rule with an original context of ${originalMaxPositions} tokens`,
    where,
    next: 'use the Hugging Face folder of this model, whose config.json states its scaling',
    code: 'model_unsupported',
  });
}
