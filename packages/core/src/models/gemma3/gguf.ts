import type { GgufPart } from '../architecture.ts';
import { gemmaRefusal, queryScalar } from '../gemma2/gguf.ts';
import { float32 } from '../gguf/writeMetadata.ts';

export const ggufPart: GgufPart = {
  configJson: (fields, common) => ({
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: queryScalar('gemma3', common),
    sliding_window: fields.count('attention.sliding_window'),
    rope_parameters: {
      full_attention: common['rope_parameters'] ?? null,
      sliding_attention: { rope_type: 'default', rope_theta: fields.positive('rope.freq_base_swa', 10_000) },
    },
    ...(fields.has('final_logit_softcapping')
      ? { final_logit_softcapping: fields.positive('final_logit_softcapping') }
      : {}),
  }),
  metadata: ({ slidingRope, rope }) => [float32('rope.freq_base_swa', (slidingRope ?? rope).theta)],
  refusal: (config) => {
    const { slidingRope, rope, attentionSoftCap, logitSoftCap } = config;
    if (attentionSoftCap !== 0 || logitSoftCap !== 0) return 'llama.cpp knows no soft caps of gemma3';
    const local = slidingRope ?? rope;
    if (local.scaling !== null || local.theta !== 10_000)
      return 'llama.cpp knows gemma3 only with a plain rope of base 10000 in layers with a window';
    return gemmaRefusal('gemma3', 6, config);
  },
  honorsWindow: true,
};
