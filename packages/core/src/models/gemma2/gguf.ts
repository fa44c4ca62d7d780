import type { JsonObject } from '@anneal/formats/json';
import type { GgufPart } from '../architecture.ts';
import type { ModelConfig } from '../config.ts';
import { float32 } from '../gguf/writeMetadata.ts';

/** llama.cpp knows the scale of attention by the model's size: of the largest it is that of hidden size / heads. */
const LARGEST = { gemma2: 46, gemma3: 62 } as const;

/** `query_pre_attn_scalar` as llama.cpp has it. */
export function queryScalar(family: keyof typeof LARGEST, common: JsonObject): number {
  const [layers, hidden, heads, headSize] = ['num_hidden_layers', 'hidden_size', 'num_attention_heads', 'head_dim'].map(
    (key) => Number(common[key]),
  ) as [number, number, number, number];
  return layers === LARGEST[family] ? hidden / heads : headSize;
}

/** Why llama.cpp would compute another model: it takes all of this from the name of the architecture. */
export function gemmaRefusal(family: keyof typeof LARGEST, period: number, config: ModelConfig): string | null {
  const { layerCount, hiddenSize, headCount, headSize, attentionScale, slidingWindow } = config;
  const scalar = layerCount === LARGEST[family] ? hiddenSize / headCount : headSize;
  if (Math.abs(attentionScale - scalar ** -0.5) > 1e-9)
    return `llama.cpp knows ${family} only with query_pre_attn_scalar ${scalar}`;
  const isRegular = slidingWindow.every((window, layer) => ((layer + 1) % period === 0) === (window === null));
  if (!isRegular)
    return `llama.cpp knows ${family} only with full attention in every ${period}th layer and nowhere else`;
  return config.attentionBias ? `llama.cpp knows no biases of ${family}` : null;
}

export const ggufPart: GgufPart = {
  configJson: (fields, common) => ({
    hidden_activation: 'gelu_pytorch_tanh',
    attn_logit_softcapping: fields.positive('attn_logit_softcapping', 50),
    final_logit_softcapping: fields.positive('final_logit_softcapping', 30),
    query_pre_attn_scalar: queryScalar('gemma2', common),
    sliding_window: fields.count('attention.sliding_window', 4096),
  }),
  metadata: ({ attentionSoftCap, logitSoftCap }) => [
    float32('attn_logit_softcapping', attentionSoftCap),
    float32('final_logit_softcapping', logitSoftCap),
  ],
  refusal: (config) =>
    config.attentionSoftCap === 0 || config.logitSoftCap === 0
      ? 'llama.cpp knows gemma2 only with both soft caps'
      : gemmaRefusal('gemma2', 2, config),
  honorsWindow: true,
};
