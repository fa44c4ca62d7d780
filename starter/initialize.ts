/** Writes the untrained model into `build/model`, where `pretrain.yaml` starts: node initialize.ts */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, random } from '@anneal/core/random';
import { writeSafetensors } from '@anneal/formats/safetensors/write';
import { starterProject } from './project.ts';
import { SEED } from './text.ts';
import { VOCABULARY } from './tokenizer.ts';

/** 1.82 million weights: 3.6 MB in bf16. */
export const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: VOCABULARY,
  hidden_size: 192,
  intermediate_size: 512,
  num_hidden_layers: 4,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  head_dim: 32,
  hidden_act: 'silu',
  max_position_embeddings: 512,
  rope_theta: 10_000,
  rms_norm_eps: 1e-5,
  attention_bias: false,
  mlp_bias: false,
  tie_word_embeddings: true,
  initializer_range: 0.02,
  eos_token_id: 2,
  pad_token_id: 3,
  torch_dtype: 'float32',
};

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of the normal distribution it is drawn from; undefined for the norms, which begin as ones. */
  readonly deviation?: number;
}

/** What writes into the residual stream starts smaller, so that its variance does not grow with the depth (GPT-2). */
function weights(): Weight[] {
  const { hidden_size: D, intermediate_size: F, num_hidden_layers: layers, head_dim: C } = CONFIG;
  const [queries, keys] = [CONFIG.num_attention_heads * C, CONFIG.num_key_value_heads * C];
  const deviation = CONFIG.initializer_range;
  const residual = deviation / Math.sqrt(2 * layers);
  const layer = (index: number): Weight[] =>
    [
      { name: 'input_layernorm', shape: [D] },
      { name: 'self_attn.q_proj', shape: [queries, D], deviation },
      { name: 'self_attn.k_proj', shape: [keys, D], deviation },
      { name: 'self_attn.v_proj', shape: [keys, D], deviation },
      { name: 'self_attn.o_proj', shape: [D, queries], deviation: residual },
      { name: 'post_attention_layernorm', shape: [D] },
      { name: 'mlp.gate_proj', shape: [F, D], deviation },
      { name: 'mlp.up_proj', shape: [F, D], deviation },
      { name: 'mlp.down_proj', shape: [D, F], deviation: residual },
    ].map((weight) => ({ ...weight, name: `model.layers.${index}.${weight.name}.weight` }));
  return [
    { name: 'model.embed_tokens.weight', shape: [CONFIG.vocab_size, D], deviation },
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    { name: 'model.norm.weight', shape: [D] },
  ];
}

/** Normally distributed numbers (Box and Muller 1958). */
function normal(source: Random): number {
  const radius = Math.sqrt(-2 * Math.log((source.uint32() + 1) / 2 ** 32));
  return radius * Math.cos((2 * Math.PI * source.uint32()) / 2 ** 32);
}

function initialValues({ name, shape, deviation }: Weight): Float32Array<ArrayBuffer> {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(1);
  if (deviation === undefined) return values;
  const source = random(SEED, 'weights', name);
  return values.map(() => deviation * normal(source));
}

if (import.meta.main) {
  const model = join(import.meta.dirname, 'build', 'model');
  mkdirSync(model, { recursive: true });
  writeFileSync(join(model, 'config.json'), `${JSON.stringify(CONFIG, null, 2)}\n`);
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(starterProject, 'model', file), join(model, file));
  }
  await writeSafetensors(
    join(model, 'model.safetensors'),
    weights().map((weight) => ({
      name: weight.name,
      shape: weight.shape,
      dtype: 'F32',
      bytes: () => new Uint8Array(initialValues(weight).buffer),
    })),
  );
}
