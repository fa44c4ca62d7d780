import { plainSwiglu } from '@anneal/kernels';
import type { ExpertsConfig, ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { readWindow } from '../layerTypes.ts';
import { readBalanceLoss } from '../readBalanceLoss.ts';

/** Qwen3 whose MLPs are mixtures of experts, but for the layers that `mlp_only_layers` and `decoder_sparse_step` leave dense. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults({ num_key_value_heads: 4 });
  const attentionBias = fields.boolean('attention_bias', false);
  return readDecoderConfig(fields, generation, {
    architecture: 'qwen3_moe',
    defaultHeadSize: null,
    slidingWindow: (layerCount) => readWindows(fields, layerCount),
    experts: (layerCount) => readExperts(fields, layerCount),
    config: { attentionBias, outputBias: attentionBias, qkNorm: 'each_head' },
  });
}

/** Of all layers alike: transformers has neither `max_window_layers` nor `layer_types` here. */
function readWindows(fields: Fields, layerCount: number): (number | null)[] {
  const window = readWindow(fields);
  return Array.from({ length: layerCount }, () => window);
}

function readExperts(fields: Fields, layerCount: number): ExpertsConfig {
  const count = fields.count(fields.has('num_experts') ? 'num_experts' : 'num_local_experts', 128);
  const step = fields.count('decoder_sparse_step', 1);
  const dense = fields.has('mlp_only_layers') ? fields.raw('mlp_only_layers') : [];
  if (!Array.isArray(dense)) throw fields.wrong('mlp_only_layers', 'a list of layers');
  return {
    ...readBalanceLoss(fields),
    count,
    choices: fields.count('num_experts_per_tok', 8, count),
    intermediateSize: fields.count('moe_intermediate_size', 768),
    normalized: fields.boolean('norm_topk_prob', false),
    bias: false,
    activation: plainSwiglu,
    sigmoid: null,
    shared: null,
    besideMlp: false,
    layers: Array.from({ length: layerCount }, (_, layer) => !dense.includes(layer) && (layer + 1) % step === 0),
  };
}
