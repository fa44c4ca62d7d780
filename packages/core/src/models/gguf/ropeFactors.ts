import { UserError } from '../../errors.ts';
import type { ModelConfig } from '../config.ts';
import { inverseFrequencies, type RopeScaling } from '../rope.ts';

/** GGUF stores Llama 3's frequency scaling as the tensor `rope_freqs.weight`: what each frequency is divided by. */
export const ROPE_FACTORS = 'rope_freqs.weight';
/** Likewise LongRoPE's, which has two sets. */
export const LONG_ROPE_FACTORS = { short: 'rope_factors_short.weight', long: 'rope_factors_long.weight' } as const;

/** The tensors of a model's file that say how its frequencies are scaled. */
export function ropeTensors({ rope, rotarySize }: ModelConfig): ReadonlyMap<string, Float32Array> {
  const { scaling, theta } = rope;
  if (scaling?.kind === 'llama3') return new Map([[ROPE_FACTORS, ropeFactors(rotarySize, theta, scaling)]]);
  if (scaling?.kind !== 'longrope') return new Map();
  return new Map([
    [LONG_ROPE_FACTORS.short, Float32Array.from(scaling.shortFactors)],
    [LONG_ROPE_FACTORS.long, Float32Array.from(scaling.longFactors)],
  ]);
}

type Llama3Scaling = Extract<RopeScaling, { kind: 'llama3' }>;

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
