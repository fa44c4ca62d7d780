import type { Tensor } from '@anneal/kernels';
import { type KeysValues, selfAttention } from './attention.ts';
import { gatedDeltaRule } from './gatedDeltaRule.ts';
import { latentAttention } from './latentAttention.ts';
import type { ModelScope } from './modelScope.ts';
import type { RopeTables } from './ropeTables.ts';
import { shortConvolution } from './shortConvolution.ts';
import { stateSpaceLayer } from './stateSpaceLayer.ts';
import type { Visibility } from './visibility.ts';

/** What a layer's tokens take from each other, and the linear that puts it into the residual. */
export interface Mixed {
  readonly mixed_TI: Tensor;
  readonly linear: string;
}

/** Attention, or what a layer has in its place. `tables`: null where positions are not told. `made`: as selfAttention takes it. */
export function mixTokens(
  m: ModelScope,
  layer: number,
  x_TD: Tensor,
  tables: RopeTables | null,
  visible: Visibility,
  made: Map<number, KeysValues>,
): Mixed {
  switch (m.config.mixers[layer]) {
    case 'short_conv':
      return { mixed_TI: shortConvolution(m, layer, x_TD, visible), linear: 'conv_out' };
    case 'gated_delta':
      return { mixed_TI: gatedDeltaRule(m, layer, x_TD, visible), linear: 'delta_out' };
    case 'state_space':
      return { mixed_TI: stateSpaceLayer(m, layer, x_TD, visible), linear: 'ssm_out' };
    case 'latent_attention':
      return { mixed_TI: latentAttention(m, layer, x_TD, tables, visible), linear: 'o' };
    default:
      return { mixed_TI: selfAttention(m, layer, x_TD, tables, visible, made), linear: 'o' };
  }
}
