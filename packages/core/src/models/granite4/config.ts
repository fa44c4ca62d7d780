import type { ModelConfig } from '../config.ts';
import { MAX_LAYERS, readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { graniteMultipliers } from '../granite/config.ts';

/** The dense models of Granite 4: attention in all layers, gate and up in one matrix. Those with Mamba layers or experts are refused. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  const attentionBias = fields.boolean('attention_bias', false);
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const others = fields.strings('layer_types')?.find((type) => type !== 'attention' && type !== 'full_attention');
  if (others !== undefined) {
    throw fields.unsupported(
      `layers of type ${others} are not implemented, only attention`,
      'use a model of Granite 4 without Mamba layers, as granite-4.0-micro',
    );
  }
  const position = fields.has('position_embedding_type') ? fields.string('position_embedding_type') : 'nope';
  if (position !== 'rope' && position !== 'nope') throw fields.wrong('position_embedding_type', 'rope or nope');
  return readDecoderConfig(
    fields.withDefaults({ intermediate_size: fields.count('shared_intermediate_size') }),
    generation,
    {
      architecture: 'granitemoehybrid',
      config: {
        attentionBias,
        outputBias: attentionBias,
        intermediateSize: fields.count('shared_intermediate_size'),
        fusedGateUp: true,
        hasRope: Array.from({ length: layerCount }, () => position === 'rope'),
        ...graniteMultipliers(fields),
      },
    },
  );
}
