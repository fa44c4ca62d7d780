import {
  shortConv,
  shortConvCached,
  splitColumns,
  stateSpace,
  stateSpaceCached,
  swiglu,
  type Tensor,
} from '@anneal/kernels';
import type { StateSpaceConfig } from '../config.ts';
import type { ModelScope } from './modelScope.ts';
import type { Visibility } from './visibility.ts';

/** norm(space(silu(conv(xBC))) · silu(gate)) of [gate xBC dt] = ssm_in(x), as in Mamba 2: what its output's linear, ssm_out, takes. */
export function stateSpaceLayer(m: ModelScope, layer: number, x_TD: Tensor, visible: Visibility): Tensor {
  const name = (part: string) => `layers.${layer}.${part}`;
  const config = m.config.stateSpace as StateSpaceConfig;
  const { heads, headSize, groups, stateSize, convSize, convBias } = config;
  const [gate_TI, rest_TE] = splitColumns(m.linear(x_TD, name('ssm_in')), heads * headSize);
  const columns = heads * headSize + 2 * groups * stateSize;
  const [xbc_TE, dt_TH] = splitColumns(rest_TE, columns);
  const conv = { weight: m.weight(name('ssm_conv')), ...(convBias && { bias: m.weight(name('ssm_conv_bias')) }) };
  const weights = {
    dt: dt_TH,
    decay: m.weight(name('ssm_decay')),
    shift: m.weight(name('ssm_dt_bias')),
    skip: m.weight(name('ssm_skip')),
  };
  const gated = (y_TI: Tensor): Tensor => m.norm(swiglu(gate_TI, y_TI), name('ssm_norm'));
  if (visible.kind === 'packed') {
    const { cuSeqlens } = visible;
    return gated(stateSpace({ xbc: shortConv(xbc_TE, conv, cuSeqlens, false), ...weights }, cuSeqlens, config));
  }
  const { positions, slots, stateOf } = visible;
  const convState = stateOf(layer, 'conv', [convSize - 1, columns]);
  const xbc = shortConvCached(xbc_TE, conv, { state: convState, positions, slots }, false);
  const state = stateOf(layer, 'ssm', [heads * stateSize, headSize]);
  return gated(stateSpaceCached({ xbc, ...weights }, { state, positions, slots }, config));
}
