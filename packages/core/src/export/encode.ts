import { float32ToBfloat16, float32ToFloat16 } from '@anneal/formats/float16';
import { UserError } from '../errors.ts';

export type FloatType = 'F32' | 'BF16' | 'F16';

const LARGEST: Readonly<Record<FloatType, number>> = {
  F32: 3.4028234663852886e38,
  BF16: 3.3895313892515355e38,
  F16: 65_504,
};

/**
 * Little-endian bytes of the weights, rounded to nearest, ties to even.
 * @throws UserError for a weight that the type cannot hold, NaN included
 */
export function encodeWeights(weights: Float32Array, type: FloatType, where: string): Uint8Array {
  checkMagnitude(weights, LARGEST[type], type, where);
  if (type === 'F32') return new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
  return new Uint8Array((type === 'BF16' ? float32ToBfloat16(weights) : float32ToFloat16(weights)).buffer);
}

/** Written so that NaN fails as well; a loop, because a call for each weight takes as long as all the rest. */
function checkMagnitude(weights: Float32Array, limit: number, type: FloatType, where: string): void {
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    if (Math.abs(weight) <= limit) continue;
    throw new UserError({
      what: `weight ${i} is ${weight}, which ${type} cannot hold`,
      where,
      next: Number.isFinite(weight) ? 'export as bf16 or f32' : 'training has diverged: export an earlier checkpoint',
      code: 'weight_not_representable',
    });
  }
}
