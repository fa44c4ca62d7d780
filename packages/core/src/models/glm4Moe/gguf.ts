import type { GgufPart } from '../architecture.ts';
import { MAX_LAYERS } from '../decoderConfig.ts';
import { routedConfig, routedMetadata, SIGMOID } from '../deepseekV3/gguf.ts';

/** Blocks of the file behind the model's last predict several tokens. */
const MTP_BLOCKS = 'nextn_predict_layers';

export const ggufPart: GgufPart = {
  configJson: (fields, _common, { tensors }) => {
    const blocks = fields.count('block_count', undefined, MAX_LAYERS);
    return {
      num_hidden_layers: blocks - fields.count(MTP_BLOCKS, 0, blocks - 1, 0),
      attention_bias: tensors.has('blk.0.attn_q.bias'),
      use_qk_norm: tensors.has('blk.0.attn_q_norm.weight'),
      ...routedConfig(fields.withDefaults({ expert_gating_func: SIGMOID })),
    };
  },
  metadata: routedMetadata,
  refusal: ({ experts }) =>
    experts?.sigmoid?.groups === 1 ? null : 'llama.cpp knows no groups of experts of glm4_moe (n_group)',
  honorsWindow: false,
  leftOutPart: (stored, { layerCount }) =>
    Number(/^blk\.(\d+)\./.exec(stored)?.[1] ?? -1) >= layerCount ? 'mtp' : null,
};
