import { add, scale, scaleBy, type Tensor } from '@anneal/kernels';
import { hasExperts } from '../tensors.ts';
import { addLaurel, altUpLayer, besideEachOther, joinStreams, spreadStreams } from './altUp.ts';
import type { KeysValues } from './attention.ts';
import { gatedMlp } from './gatedMlp.ts';
import { mixTokens } from './mixTokens.ts';
import { expertsBesideMlp, mixtureOfExperts } from './mixtureOfExperts.ts';
import type { ModelScope } from './modelScope.ts';
import { addPerLayerInput, perLayerInputs } from './perLayerInputs.ts';
import { type RopeTables, ropeTables } from './ropeTables.ts';
import type { Visibility } from './visibility.ts';

export interface DecoderInputs {
  /** i32[T] */
  readonly tokens: Tensor;
  /** i32[T], from 0 in each document */
  readonly positions: Tensor;
  readonly visible: Visibility;
}

export interface DecoderOutputs {
  /** [T, D] after the last norm: what the head multiplies. */
  readonly hidden: Tensor;
  /** [T, E] before each layer, E being D or all streams, and in the end, as transformers' `hidden_states` lists them. */
  readonly states: readonly Tensor[];
}

/**
 * The decoder of all models here; their configs say what differs.
 *
 * A tensor's name ends with its shape, in all code of models: T tokens, N those of them that are asked about, D hidden size, V vocabulary, H
 * heads, Q queries (heads · head size), K keys or values (key/value heads · head size), F inner size of the MLP, C · I what a token's C
 * experts read, E several outputs beside each other, W positions of a convolution; I inputs and O outputs of any linear, whose weight is
 * [O, I]; R rank of an adapter, and of losses the supervised rows. What every program has by one name, such as `tokens`, says it where it
 * is declared.
 */
export function decoder(m: ModelScope, { tokens, positions, visible }: DecoderInputs): DecoderOutputs {
  const { config, graph } = m;
  const tablesOf = ropeTables(m, positions, visible);
  const states: Tensor[] = [];
  const made = new Map<number, KeysValues>();
  let h_TD = m.noised(scale(m.embed(tokens), config.embeddingScale), visible);
  const perLayer = perLayerInputs(m, tokens, h_TD);
  let streams = config.altUp && spreadStreams(m, config.altUp, h_TD);
  for (let layer = 0; layer < config.layerCount; layer++) {
    graph.layer = m.layerNumber(layer);
    states.push(streams ? besideEachOther(streams) : h_TD);
    const compute = (x_TD: Tensor) => block(m, layer, x_TD, tablesOf(layer), visible, made);
    if (streams) streams = altUpLayer(m, layer, streams, perLayer[layer] as Tensor, compute);
    else h_TD = addPerLayerInput(m, layer, compute(h_TD), perLayer[layer]);
    if (config.layerScale) h_TD = scaleBy(h_TD, m.fixed(`layers.${layer}.layer_scale`));
  }
  graph.layer = null;
  const hidden = m.norm(streams ? joinStreams(m, streams) : h_TD, 'final_norm');
  return { hidden, states: [...states, streams ? besideEachOther(streams) : hidden] };
}

/** Attention, or what a layer has in its place, and the MLP or its experts. */
function block(
  m: ModelScope,
  layer: number,
  x_TD: Tensor,
  tables: RopeTables | null,
  visible: Visibility,
  made: Map<number, KeysValues>,
): Tensor {
  const { config } = m;
  const name = (part: string) => `layers.${layer}.${part}`;
  const a_TD = config.norms === 'after' ? x_TD : m.norm(x_TD, name('attention_norm'));
  const { mixed_TI, linear } = mixTokens(m, layer, a_TD, tables, visible, made);
  const mixed_TD = addToResidual(m, x_TD, mixed_TI, name(linear), name('attention_post_norm'));
  const h_TD = config.altUp ? addLaurel(m, layer, mixed_TD, a_TD) : mixed_TD;
  const f_TD = config.norms === 'after' ? h_TD : m.norm(h_TD, name('mlp_norm'));
  return hasExperts(config, layer)
    ? addExperts(m, layer, h_TD, f_TD, name('mlp_post_norm'))
    : addToResidual(m, h_TD, gatedMlp(m, layer, f_TD), name('down'), name('mlp_post_norm'));
}

/** residual + residualScale · linear(x), normed before it is added where the model does that. */
function addToResidual(m: ModelScope, residual_TD: Tensor, x_TI: Tensor, linear: string, norm: string): Tensor {
  if (addsPlainly(m)) return m.linear(x_TI, linear, residual_TD);
  return addNormed(m, residual_TD, m.linear(x_TI, linear), norm);
}

/** The same of what the layer's experts give. */
function addExperts(m: ModelScope, layer: number, residual_TD: Tensor, x_TD: Tensor, norm: string): Tensor {
  if (m.config.experts?.besideMlp)
    return addNormed(m, residual_TD, expertsBesideMlp(m, layer, x_TD, residual_TD), norm);
  if (addsPlainly(m)) return mixtureOfExperts(m, layer, x_TD, residual_TD);
  return addNormed(m, residual_TD, mixtureOfExperts(m, layer, x_TD), norm);
}

/** What is added to the residual is added as it is: a product can begin with the residual. */
function addsPlainly({ config: { norms, residualScale } }: ModelScope): boolean {
  return norms === 'before' && residualScale === 1;
}

function addNormed(m: ModelScope, residual_TD: Tensor, y_TD: Tensor, norm: string): Tensor {
  const { norms, residualScale } = m.config;
  return add(residual_TD, scale(norms === 'before' ? y_TD : m.norm(y_TD, norm), residualScale));
}
