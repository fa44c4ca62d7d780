import { float32ToBfloat16, float32ToFloat16 } from '@anneal/formats/float16';
import { checkRepresentable } from '@anneal/formats/representable';

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
  checkRepresentable(weights, LARGEST[type], type, where);
  if (type === 'F32') return new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
  return new Uint8Array((type === 'BF16' ? float32ToBfloat16(weights) : float32ToFloat16(weights)).buffer);
}
