import { UserError } from '../../errors.ts';
import type { LoraWeights } from './loraWeights.ts';

/**
 * The adapter with `scale` times the effect: its alphas are multiplied.
 * @throws UserError where something of it is not multiplied by alpha
 */
export function scaledAdapter(adapter: LoraWeights, scale: number, folder: string): LoraWeights {
  if (scale === 1) return adapter;
  const unscaled = adapter.quantizedBase
    ? 'what its base lost in 4 bits'
    : adapter.dora
      ? 'magnitudes of DoRA'
      : adapter.full.size > 0
        ? 'tensors trained in full'
        : null;
  if (unscaled !== null) {
    throw new UserError({
      what: `the adapter has ${unscaled}, which no scale makes weaker or stronger`,
      where: folder,
      next: 'export it as it was trained, without an adapter scale',
      code: 'adapter_without_scale',
    });
  }
  const modules = [...adapter.modules].map(([name, module]) => {
    const { alpha } = module;
    return [name, alpha === undefined ? module : { ...module, alpha: alpha * scale }] as const;
  });
  return { ...adapter, alpha: adapter.alpha * scale, modules: new Map(modules) };
}
