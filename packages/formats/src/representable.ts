import { UserError } from './errors.ts';

/**
 * Refuses weights larger than a type can hold, and NaN: the comparison is written so that it fails as well.
 * A loop, because a call for each weight takes as long as all the rest.
 */
export function checkRepresentable(weights: Float32Array, limit: number, type: string, where: string): void {
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
