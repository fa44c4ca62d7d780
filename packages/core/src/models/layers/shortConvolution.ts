import { shortConv, shortConvCached, type Tensor } from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';
import type { Visibility } from './visibility.ts';

/** c · conv(b · v) of [b c v] = conv_in(x), the gated short convolution of LFM2: what its output's linear, conv_out, takes. */
export function shortConvolution(m: ModelScope, layer: number, x_TD: Tensor, visible: Visibility): Tensor {
  const { hiddenSize, shortConvSize } = m.config;
  const name = (part: string) => `layers.${layer}.${part}`;
  const bcv_TE = m.linear(x_TD, name('conv_in'));
  const weights = { weight: m.weight(name('conv')) };
  if (visible.kind === 'packed') return shortConv(bcv_TE, weights, visible.cuSeqlens, true);
  const { positions, slots } = visible;
  const state = visible.stateOf(layer, 'conv', [(shortConvSize as number) - 1, hiddenSize]);
  return shortConvCached(bcv_TE, weights, { state, positions, slots }, true);
}
