import {
  type GatedDeltaInputs,
  gatedDelta,
  gatedDeltaCached,
  rmsNorm,
  type ShortConvWeights,
  shortConv,
  shortConvCached,
  swiglu,
  type Tensor,
} from '@anneal/kernels';
import type { GatedDeltaConfig } from '../config.ts';
import type { ModelScope } from './modelScope.ts';
import type { Visibility } from './visibility.ts';

/** norm(rule(silu(conv(qkv(x))))) · silu(z(x)), as in Qwen3.5: what its output's linear, delta_out, takes. The norm is by plain weights. */
export function gatedDeltaRule(m: ModelScope, layer: number, x_TD: Tensor, visible: Visibility): Tensor {
  const name = (part: string) => `layers.${layer}.${part}`;
  const parts = [name('delta_qkv'), name('delta_z'), name('delta_b'), name('delta_a')] as const;
  const [qkv_TE, z_TI, b_TH, a_TH] = m.project(x_TD, parts);
  const weights = { weight: m.weight(name('delta_conv')) };
  const gates = { a: a_TH, b: b_TH, decay: m.weight(name('delta_decay')), shift: m.weight(name('delta_shift')) };
  const out_TI = mixed(m.config.gatedDelta as GatedDeltaConfig, layer, { qkv_TE, weights, gates }, visible);
  return swiglu(z_TI, rmsNorm(out_TI, m.weight(name('delta_norm')), m.config.rmsNormEps));
}

interface MixedInputs {
  readonly qkv_TE: Tensor;
  readonly weights: ShortConvWeights;
  readonly gates: Omit<GatedDeltaInputs, 'qkv'>;
}

function mixed(
  { keyHeads, keySize, valueHeads, valueSize, convSize }: GatedDeltaConfig,
  layer: number,
  { qkv_TE, weights, gates }: MixedInputs,
  visible: Visibility,
): Tensor {
  const heads = { keyHeads, keySize };
  if (visible.kind === 'packed') {
    const { cuSeqlens } = visible;
    return gatedDelta({ qkv: shortConv(qkv_TE, weights, cuSeqlens, false), ...gates }, cuSeqlens, heads);
  }
  const { positions, slots, stateOf } = visible;
  const convState = stateOf(layer, 'conv', [convSize - 1, Number(qkv_TE.shape[1])]);
  const mixed_TE = shortConvCached(qkv_TE, weights, { state: convState, positions, slots }, false);
  const state = stateOf(layer, 'delta', [valueHeads * keySize, valueSize]);
  return gatedDeltaCached({ qkv: mixed_TE, ...gates }, { state, positions, slots }, heads);
}
