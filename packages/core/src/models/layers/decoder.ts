import { embedding, rmsNorm, ropeTable, type Tensor } from '@anneal/kernels';
import { inverseFrequencies } from '../rope.ts';
import { selfAttention, type Visibility } from './attention.ts';
import type { ModelScope } from './modelScope.ts';
import { swigluMlp } from './swigluMlp.ts';

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
  /** [T, D] before each layer, as transformers' `hidden_states` lists them. */
  readonly beforeLayer: readonly Tensor[];
}

/**
 * The pre-norm decoder that Llama, Mistral, Qwen2, Qwen3 and SmolLM2 share; their configs say what differs.
 *
 * A tensor's name ends with its shape, in all code of models: T tokens, D hidden size, Q queries (heads · head size), K keys or values
 * (key/value heads · head size), F inner size of the MLP, E several outputs beside each other; I inputs and O outputs of any
 * linear, whose weight is [O, I]; R rank of an adapter.
 */
export function decoder(m: ModelScope, { tokens, positions, visible }: DecoderInputs): DecoderOutputs {
  const { config, graph } = m;
  const { attentionScale } = inverseFrequencies(config.headSize, config.rope);
  const table = ropeTable(positions, ropeFrequencies(m), attentionScale);
  const beforeLayer: Tensor[] = [];
  let h_TD = embedding(tokens, m.weight('embed'));
  for (let layer = 0; layer < config.layerCount; layer++) {
    graph.layer = m.layerNumber(layer);
    beforeLayer.push(h_TD);
    const a_TD = rmsNorm(h_TD, m.weight(`layers.${layer}.attention_norm`), config.rmsNormEps);
    h_TD = selfAttention(m, layer, a_TD, h_TD, table, visible);
    const f_TD = rmsNorm(h_TD, m.weight(`layers.${layer}.mlp_norm`), config.rmsNormEps);
    h_TD = swigluMlp(m, layer, f_TD, h_TD);
  }
  graph.layer = null;
  return { hidden: rmsNorm(h_TD, m.weight('final_norm'), config.rmsNormEps), beforeLayer };
}

/** Name of the variable that holds the inverse frequencies; whoever loads a model fills it. */
export const ropeVariable = 'rope.inverse_frequencies';

function ropeFrequencies(m: ModelScope): Tensor {
  return m.graph.variables.get(ropeVariable, { shape: [m.config.headSize / 2], dtype: 'f32', kind: 'state' });
}
