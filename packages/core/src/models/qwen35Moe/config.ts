import { plainSwiglu } from '@anneal/kernels';
import type { ExpertsConfig, ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { DEFAULTS, qwen35Traits } from '../qwen35/config.ts';
import { readBalanceLoss } from '../readBalanceLoss.ts';

/** Qwen3.5 and 3.6 with experts in every layer, beside one that all tokens share. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const sharedSize = written.count('shared_expert_intermediate_size', 512);
  const fields = written.withDefaults({ ...DEFAULTS, num_key_value_heads: 2, intermediate_size: sharedSize });
  const { config, ...traits } = qwen35Traits(fields);
  return readDecoderConfig(fields, generation, {
    architecture: 'qwen3_5_moe_text',
    ...traits,
    experts: (layerCount) => readExperts(fields, layerCount, sharedSize),
    config: { ...config, intermediateSize: sharedSize },
  });
}

function readExperts(fields: Fields, layerCount: number, sharedSize: number): ExpertsConfig {
  const count = fields.count('num_experts', 256);
  return {
    ...readBalanceLoss(fields),
    count,
    choices: fields.count('num_experts_per_tok', 8, count),
    intermediateSize: fields.count('moe_intermediate_size', 512),
    normalized: true,
    bias: false,
    activation: plainSwiglu,
    sigmoid: null,
    shared: { intermediateSize: sharedSize, gated: true },
    besideMlp: false,
    layers: Array.from({ length: layerCount }, () => true),
  };
}
