import { longestShortConv } from '@anneal/kernels';
import type { ModelConfig, TokenMixer } from '../config.ts';
import { MAX_LAYERS, readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = {
  num_key_value_heads: 8,
  max_position_embeddings: 128_000,
  rope_theta: 1_000_000,
  pad_token_id: 0,
  bos_token_id: 1,
  eos_token_id: 2,
};

/** LFM2: gated short convolutions, and attention with normed heads in some layers. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults({ ...DEFAULTS, intermediate_size: writtenMlpSize(written) });
  if (fields.boolean('conv_bias', false)) {
    throw fields.unsupported('biases of the convolutions (conv_bias) are not implemented', 'use a model without them');
  }
  return readDecoderConfig(fields, generation, {
    architecture: 'lfm2',
    defaultHeadSize: null,
    config: {
      mixers: readMixers(fields),
      shortConvSize: fields.count('conv_L_cache', 3, longestShortConv, 2),
      intermediateSize: mlpSize(fields),
      rmsNormEps: fields.positive('norm_eps', 1e-5),
      tieWordEmbeddings: fields.boolean('tie_embedding', fields.boolean('tie_word_embeddings', true)),
      qkNorm: 'each_head',
    },
  });
}

/** Published files call it `block_ff_dim`, which goes before. */
function writtenMlpSize(fields: Fields): number {
  return fields.count(fields.has('block_ff_dim') ? 'block_ff_dim' : 'intermediate_size', 12_288);
}

/** Two thirds of what is written, times a factor, up to the next multiple, unless the file says that it is the size itself. */
function mlpSize(fields: Fields): number {
  const size = writtenMlpSize(fields);
  if (!fields.boolean('block_auto_adjust_ff_dim', true)) return size;
  const twoThirds = Math.floor((2 * size) / 3);
  if (fields.raw('block_ffn_dim_multiplier') === null) return twoThirds;
  const multiple = fields.count('block_multiple_of', 256);
  return multiple * Math.ceil(Math.floor(fields.positive('block_ffn_dim_multiplier', 1) * twoThirds) / multiple);
}

/** `layer_types`, or, in older files, the numbers of the layers with attention. */
function readMixers(fields: Fields): TokenMixer[] {
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const mixers = fields.strings('layer_types')?.map((type): TokenMixer => {
    if (type === 'full_attention') return 'attention';
    if (type === 'conv') return 'short_conv';
    throw fields.unsupported(`layer type ${type} is not implemented`, 'use a model with conv and full_attention alone');
  });
  const read = mixers ?? mixersByIndex(fields, layerCount);
  if (read.length !== layerCount) throw fields.wrong('layer_types', `a list of ${layerCount} entries, one per layer`);
  if (read.includes('attention')) return read;
  throw fields.unsupported('a model without any layer of attention is not implemented', 'use a published LFM2');
}

function mixersByIndex(fields: Fields, layerCount: number): TokenMixer[] {
  const layers = Array.from({ length: layerCount }, (_, layer) => layer);
  const attention = fields.has('full_attn_idxs') ? fields.raw('full_attn_idxs') : layers;
  if (!Array.isArray(attention)) throw fields.wrong('full_attn_idxs', 'a list of layers');
  return layers.map((layer) => (attention.includes(layer) ? 'attention' : 'short_conv'));
}
