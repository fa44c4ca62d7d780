import type { ModelConfig } from '../config.ts';
import { MAX_LAYERS, readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { layerTypes } from '../layerTypes.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = { num_key_value_heads: 4, rope_theta: 2_000_000 };

/** SmolLM3: as Llama, but for every fourth layer, which is told no positions. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  const hasRope = readRopeLayers(fields);
  const attentionBias = fields.boolean('attention_bias', false);
  const window =
    fields.boolean('use_sliding_window', false) && fields.has('sliding_window') ? fields.count('sliding_window') : null;
  return readDecoderConfig(fields, generation, {
    architecture: 'smollm3',
    tiesByDefault: true,
    slidingWindow: (layerCount) =>
      layerTypes(fields, layerCount, (layer) => window !== null && !hasRope[layer]).map((type) => {
        if (type === 'sliding_attention' && window === null)
          throw fields.wrong('use_sliding_window', 'true where layer_types has sliding_attention');
        return type === 'sliding_attention' ? window : null;
      }),
    config: { attentionBias, outputBias: attentionBias, mlpBias: fields.boolean('mlp_bias', false), hasRope },
  });
}

/** `no_rope_layers` has a 1 for layers with rope, despite its name. */
function readRopeLayers(fields: Fields): boolean[] {
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const interval = fields.count('no_rope_layer_interval', 4);
  if (!fields.has('no_rope_layers'))
    return Array.from({ length: layerCount }, (_, layer) => (layer + 1) % interval !== 0);
  const written = fields.raw('no_rope_layers');
  if (!Array.isArray(written) || written.length !== layerCount || !written.every((entry) => entry === 0 || entry === 1))
    throw fields.wrong('no_rope_layers', `a list of ${layerCount} entries, each 0 or 1`);
  return written.map((entry) => entry === 1);
}
