import { add, embedding, scale, splitColumns, swiglu, type Tensor } from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';

/** What each layer adds of the tokens themselves, [T, size] for each: (norm(projection(h) / √D) + √size · table[token]) / √2, of the embeddings h. */
export function perLayerInputs(m: ModelScope, tokens: Tensor, h_TD: Tensor): readonly Tensor[] {
  const { perLayerInputs: inputs, hiddenSize, layerCount } = m.config;
  if (!inputs) return [];
  const projected_TE = scale(m.linear(h_TD, 'per_layer_projection'), hiddenSize ** -0.5);
  const looked_TE = scale(embedding(tokens, m.weight('per_layer_embed')), Math.sqrt(inputs.size));
  const all_TE = scale(add(m.norm(projected_TE, 'per_layer_projection_norm'), looked_TE), Math.SQRT1_2);
  return columnParts(all_TE, layerCount, inputs.size);
}

/** h + what the layer gets. */
export function addPerLayerInput(m: ModelScope, layer: number, h_TD: Tensor, input: Tensor | undefined): Tensor {
  return input ? add(h_TD, gatedInput(m, layer, h_TD, input)) : h_TD;
}

/** norm(out(activation(gate(h)) · input)) */
export function gatedInput(m: ModelScope, layer: number, h_TD: Tensor, input: Tensor): Tensor {
  const name = (part: string) => `layers.${layer}.per_layer_${part}`;
  const gated = swiglu(m.linear(h_TD, name('gate')), input, m.config.activation);
  return m.norm(m.linear(gated, name('out')), name('post_norm'));
}

/** Parts of `size` columns each. Halved again and again, so that a column is copied a few times only. */
export function columnParts(x: Tensor, count: number, size: number): Tensor[] {
  if (count === 1) return [x];
  const before = count >> 1;
  const [left, right] = splitColumns(x, before * size);
  return [...columnParts(left, before, size), ...columnParts(right, count - before, size)];
}
