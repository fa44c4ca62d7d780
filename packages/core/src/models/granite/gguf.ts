import type { JsonObject } from '@anneal/formats/json';
import type { GgufPart } from '../architecture.ts';
import type { Fields } from '../fields.ts';
import { float32 } from '../gguf/writeMetadata.ts';

export function multipliersJson(fields: Fields): JsonObject {
  return {
    embedding_multiplier: fields.positive('embedding_scale', 1),
    attention_multiplier: fields.positive('attention.scale', 1),
    residual_multiplier: fields.positive('residual_scale', 1),
    logits_scaling: fields.positive('logit_scale', 1),
  };
}

export const ggufPart: GgufPart = {
  configJson: (fields) => {
    if (!fields.boolean('rope.scaling.finetuned', true))
      throw fields.unsupported(
        'a Granite without rope (rope.scaling.finetuned) is not implemented',
        "use the model's Hugging Face folder",
      );
    return multipliersJson(fields);
  },
  metadata: ({ embeddingScale, attentionScale, residualScale, logitScale }) => [
    float32('embedding_scale', embeddingScale),
    float32('attention.scale', attentionScale),
    float32('residual_scale', residualScale),
    float32('logit_scale', 1 / logitScale),
  ],
  refusal: () => null,
  honorsWindow: false,
};
