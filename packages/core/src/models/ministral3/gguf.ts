import type { JsonObject } from '@anneal/formats/json';
import type { GgufPart } from '../architecture.ts';
import type { ModelConfig } from '../config.ts';
import { float32 } from '../gguf/writeMetadata.ts';
import { yarnAttentionFactor } from '../rope.ts';

/**
 * llama.cpp divides YaRN's usual attention factor by the one that `mscale_all_dim` gives, and has the queries grow by YaRN's original context.
 * The text models of Mistral Small 3 have this name, too: they lack both.
 */
export const ggufPart: GgufPart = {
  configJson: (fields, common) => ({
    rope_parameters: {
      ...(common['rope_parameters'] as JsonObject),
      ...(fields.has('rope.scaling.yarn_log_multiplier') && {
        mscale: 1,
        mscale_all_dim: fields.positive('rope.scaling.yarn_log_multiplier'),
      }),
      ...(fields.has('attention.temperature_scale') && {
        llama_4_scaling_beta: fields.positive('attention.temperature_scale'),
      }),
    },
  }),
  metadata: (config) => {
    const scale = scaleOfAllDimensions(config);
    return [
      ...(config.queryScaling ? [float32('attention.temperature_scale', config.queryScaling.beta)] : []),
      ...(scale > 0 ? [float32('rope.scaling.yarn_log_multiplier', scale)] : []),
    ];
  },
  refusal: (config) => {
    const { queryScaling, rope } = config;
    const original = rope.scaling?.kind === 'yarn' ? rope.scaling.originalMaxPositions : null;
    if (queryScaling && queryScaling.originalMaxPositions !== original)
      return "llama.cpp has the queries of mistral3 grow by YaRN's original context (llama_4_scaling_beta)";
    return scaleOfAllDimensions(config) < 0
      ? "llama.cpp has no attention factor above YaRN's own in mistral3 (attention_factor)"
      : null;
  },
  honorsWindow: false,
  scalesYarnItself: true,
};

/** `mscale_all_dim` of YaRN with an `mscale` of 1; 0 where nothing divides the usual attention factor. */
function scaleOfAllDimensions({ rope: { scaling } }: ModelConfig): number {
  if (scaling?.kind !== 'yarn' || scaling.factor <= 1) return 0;
  const usual = yarnAttentionFactor(scaling.factor);
  return Number(((usual / scaling.attentionFactor - 1) / (usual - 1)).toPrecision(7));
}
