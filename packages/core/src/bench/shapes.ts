import type { JsonObject } from '@anneal/formats/json';
import { architectureOf, readConfig } from '../models/index.ts';
import type { ModelTensor, OpenModel } from '../models/model.ts';
import { expectedTensors } from '../models/tensors.ts';
import { random } from '../random.ts';

const qwen3 = {
  model_type: 'qwen3',
  vocab_size: 151936,
  head_dim: 128,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  max_position_embeddings: 40960,
};

/** Published models by their config.json: what a benchmark needs of them, no file. */
export const shapes: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>> = {
  'smollm2-135m': {
    model_type: 'llama',
    vocab_size: 49152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    rms_norm_eps: 1e-5,
    rope_theta: 100000,
    max_position_embeddings: 8192,
    tie_word_embeddings: true,
  },
  'qwen3-0.6b': {
    ...qwen3,
    hidden_size: 1024,
    intermediate_size: 3072,
    num_hidden_layers: 28,
    num_attention_heads: 16,
    tie_word_embeddings: true,
  },
  'gemma-3-1b': {
    model_type: 'gemma3_text',
    vocab_size: 262144,
    hidden_size: 1152,
    intermediate_size: 6912,
    num_hidden_layers: 26,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    sliding_window: 512,
    max_position_embeddings: 32768,
  },
  'qwen3-1.7b': {
    ...qwen3,
    hidden_size: 2048,
    intermediate_size: 6144,
    num_hidden_layers: 28,
    num_attention_heads: 16,
    tie_word_embeddings: true,
  },
  'qwen3-14b': {
    ...qwen3,
    hidden_size: 5120,
    intermediate_size: 17408,
    num_hidden_layers: 40,
    num_attention_heads: 40,
    tie_word_embeddings: false,
  },
  'qwen3-32b': {
    ...qwen3,
    hidden_size: 5120,
    intermediate_size: 25600,
    num_hidden_layers: 64,
    num_attention_heads: 64,
    tie_word_embeddings: false,
  },
  'qwen3-30b-a3b': {
    ...qwen3,
    model_type: 'qwen3_moe',
    hidden_size: 2048,
    intermediate_size: 6144,
    num_hidden_layers: 48,
    num_attention_heads: 32,
    num_key_value_heads: 4,
    moe_intermediate_size: 768,
    num_experts: 128,
    num_experts_per_tok: 8,
    norm_topk_prob: true,
    tie_word_embeddings: false,
  },
  'llama-3.1-8b': {
    model_type: 'llama',
    vocab_size: 128256,
    hidden_size: 4096,
    intermediate_size: 14336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    rms_norm_eps: 1e-5,
    rope_theta: 500000,
    max_position_embeddings: 131072,
    tie_word_embeddings: false,
  },
};

/** Standard deviation of the weights, as transformers starts its models. */
const spread = 0.02;
const blockValues = 1 << 20;

/** A model of that shape with random weights in bfloat16, norms of 1: its speed is that of the published one. */
export function randomModel(shape: string): OpenModel {
  return randomModelOf(shape, { ...shapes[shape] });
}

/** The same for any config.json. */
export function randomModelOf(name: string, configJson: JsonObject): OpenModel {
  const config = readConfig(configJson, null, name);
  const block = normals();
  const ones = new Uint16Array(1 << 15).fill(0x3f80);
  const tensors = [...expectedTensors(config)].map(([tensorName, extents]): [string, ModelTensor] => {
    const columns = extents.slice(1).reduce((product, extent) => product * extent, 1);
    const pattern = extents.length === 1 ? ones : block;
    const tensor: ModelTensor = {
      name: tensorName,
      shape: extents,
      dtype: 'BF16',
      rowGroup: 1,
      source: () => ({ type: 'bf16', pattern: new Uint8Array(pattern.buffer) }),
      bytes: ({ first, count } = { first: 0, count: extents[0] as number }) => {
        const values = Uint16Array.from({ length: count * columns }, (_, i) => {
          return pattern[(first * columns + i) % pattern.length] as number;
        });
        return new Uint8Array(values.buffer);
      },
      float32: () => {
        throw new Error('random weights are read as they are');
      },
    };
    return [tensorName, tensor];
  });
  return {
    path: name,
    format: 'huggingface',
    architecture: architectureOf(config.architecture, name),
    config,
    configJson,
    generationConfig: null,
    tensors: new Map(tensors),
    isNested: false,
    leftOut: [],
    tokenizerFiles: [],
    readTokenizerFile: () => new Uint8Array(0),
    chatTemplates: null,
    files: [],
    close: () => undefined,
  };
}

function normals(): Uint16Array {
  const { uint32 } = random('bench weights', 1);
  const bits = new Uint32Array(1);
  const value = new Float32Array(bits.buffer);
  return Uint16Array.from({ length: blockValues }, () => {
    // The sum of four uniform numbers is close enough to a normal one.
    const sum = uint32() + uint32() + uint32() + uint32();
    value[0] = (sum / 2 ** 32 - 2) * Math.sqrt(3) * spread;
    return (bits[0] as number) >>> 16;
  });
}
