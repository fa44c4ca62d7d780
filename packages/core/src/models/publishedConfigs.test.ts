import type { JsonObject } from '@anneal/formats/json';
import { expect, test } from 'vitest';
import { keySource, type ModelConfig } from './config.ts';
import { textConfigOf } from './huggingFace/textPart.ts';
import { readConfig } from './index.ts';

const read = (json: JsonObject): ModelConfig => readConfig(textConfigOf(json) ?? json, null, 'config.json');

/** Layers without a window, by their numbers. */
const fullLayers = ({ slidingWindow }: ModelConfig): number[] =>
  slidingWindow.flatMap((window, layer) => (window === null ? [layer] : []));

// Fields of published files that decide the computation, in the spelling of transformers 4.

test('gemma-3-1b-it', () => {
  const config = read({
    model_type: 'gemma3_text',
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    head_dim: 256,
    hidden_activation: 'gelu_pytorch_tanh',
    hidden_size: 1152,
    intermediate_size: 6912,
    max_position_embeddings: 32768,
    num_attention_heads: 4,
    num_hidden_layers: 26,
    num_key_value_heads: 1,
    query_pre_attn_scalar: 256,
    rms_norm_eps: 1e-6,
    rope_local_base_freq: 10000,
    rope_scaling: null,
    rope_theta: 1000000,
    sliding_window: 512,
    sliding_window_pattern: 6,
    vocab_size: 262144,
  });
  expect(fullLayers(config)).toEqual([5, 11, 17, 23]);
  expect(config).toMatchObject({
    rope: { theta: 1e6, scaling: null },
    slidingRope: { theta: 1e4, scaling: null },
    attentionScale: 1 / 16,
    attentionSoftCap: 0,
    logitSoftCap: 0,
    tieWordEmbeddings: true,
    scoreHead: false,
  });
});

test('gemma-3-4b-it, which says little of its text model', () => {
  const config = read({
    model_type: 'gemma3',
    eos_token_id: [1, 106],
    text_config: {
      hidden_size: 2560,
      intermediate_size: 10240,
      model_type: 'gemma3_text',
      num_hidden_layers: 34,
      rope_scaling: { factor: 8, rope_type: 'linear' },
      sliding_window: 1024,
    },
    vision_config: { hidden_size: 1152 },
  });
  expect(config).toMatchObject({
    architecture: 'gemma3_text',
    vocabSize: 262208,
    headCount: 8,
    kvHeadCount: 4,
    headSize: 256,
    maxPositions: 131072,
    rope: { theta: 1e6, scaling: { kind: 'linear', factor: 8 } },
    slidingRope: { theta: 1e4, scaling: null },
    eosTokenIds: [1, 106],
  });
  expect(fullLayers(config)).toEqual([5, 11, 17, 23, 29]);
});

const gemma4 = {
  attention_bias: false,
  attention_k_eq_v: false,
  enable_moe_block: false,
  final_logit_softcapping: 30,
  global_head_dim: 512,
  head_dim: 256,
  hidden_activation: 'gelu_pytorch_tanh',
  hidden_size: 1536,
  hidden_size_per_layer_input: 256,
  intermediate_size: 6144,
  layer_types: Array.from({ length: 10 }, (_, layer) => (layer % 5 === 4 ? 'full_attention' : 'sliding_attention')),
  max_position_embeddings: 131072,
  model_type: 'gemma4_text',
  num_attention_heads: 8,
  num_global_key_value_heads: null,
  num_hidden_layers: 10,
  num_key_value_heads: 1,
  num_kv_shared_layers: 5,
  rms_norm_eps: 1e-6,
  rope_parameters: {
    full_attention: { partial_rotary_factor: 0.25, rope_theta: 1000000, rope_type: 'proportional' },
    sliding_attention: { rope_theta: 10000, rope_type: 'default' },
  },
  sliding_window: 512,
  tie_word_embeddings: true,
  use_bidirectional_attention: null,
  use_double_wide_mlp: true,
  vocab_size: 262144,
  vocab_size_per_layer_input: 262144,
};

test('gemma-4-E2B inside its multimodal model', () => {
  const config = read({ model_type: 'gemma4', eos_token_id: [1, 106], text_config: gemma4 });
  expect(fullLayers(config)).toEqual([4, 9]);
  expect(config).toMatchObject({
    architecture: 'gemma4_text',
    attentionScale: 1,
    normOffset: 0,
    logitSoftCap: 30,
    headSize: 256,
    globalAttention: { headSize: 512, kvHeadCount: 1, keysAreValues: false },
    keySharing: { from: 5, intermediateSize: 12288 },
    perLayerInputs: { size: 256 },
    rope: { theta: 1e6, scaling: { kind: 'proportional', part: 0.25, factor: 1 } },
    slidingRope: { theta: 1e4, scaling: null },
    eosTokenIds: [1, 106],
  });
  expect(Array.from({ length: 10 }, (_, layer) => keySource(config, layer))).toEqual([0, 1, 2, 3, 4, 3, 3, 3, 3, 4]);
});

test('gemma-4-26B-A4B, whose experts stand beside the MLPs', () => {
  const config = read({
    ...gemma4,
    attention_k_eq_v: true,
    enable_moe_block: true,
    hidden_size_per_layer_input: 0,
    moe_intermediate_size: 704,
    num_experts: 128,
    num_kv_shared_layers: 0,
    top_k_experts: 8,
    use_double_wide_mlp: false,
  });
  expect(config.experts).toMatchObject({
    count: 128,
    choices: 8,
    intermediateSize: 704,
    activation: 'gelu_tanh',
    besideMlp: true,
    shared: null,
  });
  expect(() => read({ ...gemma4, enable_moe_block: true })).toThrow('num_experts');
});

test('gemma-4-31B, whose values are its keys where there is no window; what is refused of Gemma 4', () => {
  const large = { ...gemma4, attention_k_eq_v: true, num_global_key_value_heads: 4, num_key_value_heads: 16 };
  const { num_kv_shared_layers: _, ...alone } = { ...large, hidden_size_per_layer_input: 0, num_attention_heads: 32 };
  expect(read(alone)).toMatchObject({
    globalAttention: { headSize: 512, kvHeadCount: 4, keysAreValues: true },
    kvHeadCount: 16,
    keySharing: null,
    perLayerInputs: null,
  });
  expect(() => read({ ...gemma4, attention_bias: true })).toThrow('attention_bias');
  expect(() => read({ ...gemma4, use_bidirectional_attention: 'all' })).toThrow('both directions');
  expect(() => read({ ...gemma4, num_kv_shared_layers: 8 })).toThrow('num_kv_shared_layers');
  expect(() => read({ ...gemma4, vocab_size_per_layer_input: 1000 })).toThrow('vocab_size_per_layer_input');
  expect(() => read({ ...gemma4, per_layer_config: { 0: { head_dim: 8 } } })).toThrow('per_layer_config');
});

const gemma3n = {
  activation_sparsity_pattern: Array.from({ length: 12 }, (_, layer) => (layer < 10 ? 0.95 : 0)),
  altup_active_idx: 0,
  altup_coef_clip: 120,
  altup_correct_scale: true,
  altup_num_inputs: 4,
  final_logit_softcapping: 30,
  head_dim: 256,
  hidden_activation: 'gelu_pytorch_tanh',
  hidden_size: 2048,
  hidden_size_per_layer_input: 256,
  intermediate_size: Array.from({ length: 12 }, () => 8192),
  laurel_rank: 64,
  layer_types: Array.from({ length: 12 }, (_, layer) => (layer % 5 === 4 ? 'full_attention' : 'sliding_attention')),
  max_position_embeddings: 32768,
  model_type: 'gemma3n_text',
  num_attention_heads: 8,
  num_hidden_layers: 12,
  num_key_value_heads: 2,
  num_kv_shared_layers: 5,
  rms_norm_eps: 1e-6,
  rope_local_base_freq: 10000,
  rope_scaling: null,
  rope_theta: 1000000,
  sliding_window: 512,
  vocab_size: 262400,
  vocab_size_per_layer_input: 262144,
};

test('gemma-3n-E2B inside its multimodal model', () => {
  const config = read({ model_type: 'gemma3n', eos_token_id: [1, 106], text_config: gemma3n });
  expect(fullLayers(config)).toEqual([4, 9]);
  expect(config).toMatchObject({
    architecture: 'gemma3n_text',
    attentionScale: 1,
    normOffset: 0,
    valueNorm: true,
    logitSoftCap: 30,
    intermediateSize: 8192,
    keySharing: { from: 7, intermediateSize: 8192 },
    perLayerInputs: { size: 256, vocabSize: 262144 },
    altUp: { streams: 4, laurelRank: 64 },
    activationSparsity: gemma3n.activation_sparsity_pattern,
    rope: { theta: 1e6, scaling: null },
    slidingRope: { theta: 1e4, scaling: null },
    eosTokenIds: [1, 106],
    tieWordEmbeddings: true,
  });
  expect(Array.from({ length: 12 }, (_, layer) => keySource(config, layer)).slice(6)).toEqual([6, 6, 6, 4, 6, 6]);
});

test('a Gemma 3n that says nothing, and what is refused of it', () => {
  const usual = read({ model_type: 'gemma3n_text' });
  expect(usual.activationSparsity.map((share, layer) => share === (layer < 10 ? 0.95 : 0))).not.toContain(false);
  expect(usual).toMatchObject({ layerCount: 35, keySharing: { from: 20 }, intermediateSize: 16384, logitSoftCap: 30 });
  const refused = (change: JsonObject) => expect(() => read({ ...gemma3n, ...change }));
  refused({ attention_bias: true }).toThrow('attention_bias');
  refused({ altup_correct_scale: false }).toThrow('altup_correct_scale');
  refused({ altup_num_inputs: 2 }).toThrow('other than 4 streams');
  refused({ altup_active_idx: 1 }).toThrow('other than 4 streams');
  refused({ intermediate_size: [8192] }).toThrow('a list of 12');
  refused({ intermediate_size: [...gemma3n.intermediate_size.slice(1), 16384] }).toThrow('MLPs of different sizes');
  refused({ activation_sparsity_pattern: [0.95] }).toThrow('a list of 12 numbers');
  refused({ activation_sparsity_pattern: Array.from({ length: 12 }, () => 1) }).toThrow('a list of 12 numbers');
  refused({ num_kv_shared_layers: 11 }).toThrow('num_kv_shared_layers');
  refused({ vocab_size_per_layer_input: 262401 }).toThrow('vocab_size_per_layer_input');
});

const gemma2 = {
  model_type: 'gemma2',
  hidden_size: 2304,
  intermediate_size: 9216,
  max_position_embeddings: 8192,
  num_attention_heads: 8,
  num_hidden_layers: 4,
  num_key_value_heads: 4,
  rope_theta: 10000,
  vocab_size: 256000,
};

test('gemma-2-2b, and one whose caps are off', () => {
  const config = read(gemma2);
  expect(config).toMatchObject({ attentionSoftCap: 50, logitSoftCap: 30, headSize: 256, embeddingScale: 48 });
  expect(config.slidingWindow).toEqual([4096, null, 4096, null]);
  const uncapped = { ...gemma2, attn_logit_softcapping: null, final_logit_softcapping: null };
  expect(read(uncapped)).toMatchObject({ attentionSoftCap: 0, logitSoftCap: 0 });
  expect(() => read({ ...gemma2, use_bidirectional_attention: true })).toThrow('use_bidirectional_attention');
});

const phi = {
  model_type: 'phi3',
  hidden_size: 3072,
  intermediate_size: 8192,
  max_position_embeddings: 131072,
  num_attention_heads: 24,
  num_hidden_layers: 2,
  num_key_value_heads: 8,
  original_max_position_embeddings: 4096,
  rope_theta: 10000,
  sliding_window: 262144,
  vocab_size: 200064,
};
const factors = (count: number) => Array.from({ length: count }, (_, i) => 1 + i);

test('Phi-4-mini-instruct, whose LongRoPE turns three quarters of each head', () => {
  const rope = { type: 'longrope', short_factor: factors(48), long_factor: factors(48) };
  const config = read({ ...phi, partial_rotary_factor: 0.75, rope_scaling: rope });
  expect(config).toMatchObject({ rotarySize: 96, headSize: 128, fusedQkv: true, fusedGateUp: true });
  expect(config.rope.scaling).toMatchObject({ kind: 'longrope', originalMaxPositions: 4096 });
  expect(config.rope.scaling).toMatchObject({ attentionFactor: Math.sqrt(1 + Math.log(32) / Math.log(4096)) });
  const wrong = { ...rope, long_factor: factors(64) };
  expect(() => read({ ...phi, partial_rotary_factor: 0.75, rope_scaling: wrong })).toThrow('a list of 48 numbers');
});

test('Phi-3-mini-128k, whose LongRoPE has an older name; dropout is refused', () => {
  const rope = { type: 'su', short_factor: factors(64), long_factor: factors(64) };
  expect(read({ ...phi, rope_scaling: rope }).rope.scaling).toMatchObject({ kind: 'longrope' });
  expect(() => read({ ...phi, resid_pdrop: 0.1 })).toThrow('dropout of activations (resid_pdrop)');
});

test('Olmo-3-7B: YaRN in layers without a window alone', () => {
  const olmo3 = {
    model_type: 'olmo3',
    hidden_size: 4096,
    intermediate_size: 11008,
    layer_types: ['sliding_attention', 'sliding_attention', 'sliding_attention', 'full_attention'],
    max_position_embeddings: 65536,
    num_attention_heads: 32,
    num_hidden_layers: 4,
    rope_scaling: { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 8192, attention_factor: 1.2 },
    rope_theta: 500000,
    sliding_window: 4096,
    vocab_size: 100278,
  };
  const config = read(olmo3);
  expect(config.rope.scaling).toMatchObject({ kind: 'yarn', factor: 8 });
  expect(config).toMatchObject({ slidingRope: { theta: 5e5, scaling: null }, norms: 'after', qkNorm: 'all_heads' });
  const { rope_scaling: _scaling, rope_theta: _theta, ...plain } = olmo3;
  const flat = read({ ...plain, rope_parameters: { rope_type: 'default', rope_theta: 1e6 } });
  // One rope for all layers.
  expect(flat).toMatchObject({ rope: { theta: 1e6 }, slidingRope: null });
});

const granite4 = {
  model_type: 'granitemoehybrid',
  attention_multiplier: 0.015625,
  embedding_multiplier: 12,
  hidden_size: 2560,
  layer_types: ['attention', 'attention'],
  logits_scaling: 10,
  max_position_embeddings: 131072,
  num_attention_heads: 40,
  num_hidden_layers: 2,
  num_key_value_heads: 8,
  num_local_experts: 0,
  position_embedding_type: 'rope',
  residual_multiplier: 0.22,
  rope_theta: 10000000,
  shared_intermediate_size: 8192,
  vocab_size: 100352,
};

test('granite-4.0-h-tiny, whose experts stand beside the MLP of its dense relatives', () => {
  const tiny = {
    ...granite4,
    hidden_size: 1536,
    intermediate_size: 512,
    layer_types: ['mamba', 'attention'],
    mamba_n_heads: 48,
    num_attention_heads: 12,
    num_experts_per_tok: 6,
    num_key_value_heads: 4,
    num_local_experts: 64,
    output_router_logits: false,
    position_embedding_type: 'nope',
    shared_intermediate_size: 1024,
  };
  expect(read(tiny)).toMatchObject({
    intermediateSize: 1024,
    mixers: ['state_space', 'attention'],
    experts: {
      count: 64,
      choices: 6,
      intermediateSize: 512,
      normalized: true,
      shared: { intermediateSize: 1024, gated: false, isMlp: true },
    },
  });
  expect(read({ ...tiny, output_router_logits: true }).experts?.balanceLoss).toBe(0.001);
  expect(() => read({ ...tiny, num_experts_per_tok: 65 })).toThrow('num_experts_per_tok');
});

test('Qwen3-30B-A3B, and one with dense layers among the others', () => {
  const qwen = {
    model_type: 'qwen3_moe',
    decoder_sparse_step: 1,
    head_dim: 128,
    hidden_size: 2048,
    intermediate_size: 6144,
    max_position_embeddings: 40960,
    mlp_only_layers: [],
    moe_intermediate_size: 768,
    norm_topk_prob: true,
    num_attention_heads: 32,
    num_experts: 128,
    num_experts_per_tok: 8,
    num_hidden_layers: 48,
    num_key_value_heads: 4,
    output_router_logits: false,
    rope_theta: 1000000,
    router_aux_loss_coef: 0.001,
    vocab_size: 151936,
  };
  const { experts, qkNorm } = read(qwen);
  expect(qkNorm).toBe('each_head');
  expect(experts).toMatchObject({ count: 128, choices: 8, intermediateSize: 768, normalized: true });
  expect(experts?.layers).toEqual(Array.from({ length: 48 }, () => true));
  const mixed = read({ ...qwen, num_hidden_layers: 4, decoder_sparse_step: 2, mlp_only_layers: [1] });
  expect(mixed.experts?.layers).toEqual([false, false, false, true]);
  const balanced = { ...qwen, output_router_logits: true, router_aux_loss_coef: 0.02 };
  expect(read(balanced).experts?.balanceLoss).toBe(0.02);
  expect(() => read({ ...balanced, router_aux_loss_coef: -1 })).toThrow('router_aux_loss_coef');
  expect(read(qwen).experts).not.toHaveProperty('balanceLoss');
  expect(() => read({ ...qwen, num_experts_per_tok: 129 })).toThrow('num_experts_per_tok');
});

const gptOss = {
  model_type: 'gpt_oss',
  attention_bias: true,
  attention_dropout: 0,
  experts_per_token: 4,
  head_dim: 64,
  hidden_act: 'silu',
  hidden_size: 2880,
  initial_context_length: 4096,
  intermediate_size: 2880,
  layer_types: ['sliding_attention', 'full_attention'],
  max_position_embeddings: 131072,
  num_attention_heads: 64,
  num_experts_per_tok: 4,
  num_hidden_layers: 2,
  num_key_value_heads: 8,
  num_local_experts: 32,
  output_router_logits: false,
  quantization_config: { modules_to_not_convert: ['model.layers.*.self_attn', 'lm_head'], quant_method: 'mxfp4' },
  rms_norm_eps: 1e-5,
  rope_scaling: {
    beta_fast: 32,
    beta_slow: 1,
    factor: 32,
    original_max_position_embeddings: 4096,
    rope_type: 'yarn',
    truncate: false,
  },
  rope_theta: 150000,
  sliding_window: 128,
  swiglu_limit: 7,
  tie_word_embeddings: false,
  vocab_size: 201088,
};

test('gpt-oss-20b, and what transformers would compute otherwise', () => {
  expect(read(gptOss)).toMatchObject({
    attentionSinks: true,
    attentionBias: true,
    outputBias: true,
    slidingWindow: [128, null],
    experts: { count: 32, choices: 4, intermediateSize: 2880, normalized: true, bias: true, layers: [true, true] },
    rope: { theta: 150000, scaling: { kind: 'yarn', truncate: false, factor: 32 } },
  });
  const { layer_types: _types, rope_theta: _theta, sliding_window: _window, ...short } = gptOss;
  expect(read(short)).toMatchObject({
    slidingWindow: [128, null],
    rope: { theta: 150000 },
  });
  expect(() => read({ ...gptOss, swiglu_limit: 10 })).toThrow('swiglu_limit 10 is not implemented');
  expect(read({ ...gptOss, output_router_logits: true }).experts?.balanceLoss).toBeGreaterThan(0);
  expect(() => read({ ...gptOss, quantization_config: { quant_method: 'fp8' } })).toThrow('stored quantized (fp8)');
});

test('granite-4.0-micro', () => {
  expect(read(granite4)).toMatchObject({ intermediateSize: 8192, logitScale: 0.1, hasRope: [true, true] });
  expect(read({ ...granite4, position_embedding_type: 'nope' }).hasRope).toEqual([false, false]);
});

test('granite-4.0-h-micro: layers of Mamba 2, and what of them is refused', () => {
  const hybrid = {
    ...granite4,
    hidden_size: 2048,
    layer_types: ['mamba', 'attention'],
    mamba_chunk_size: 256,
    mamba_conv_bias: true,
    mamba_d_conv: 4,
    mamba_d_head: 64,
    mamba_d_state: 128,
    mamba_expand: 2,
    mamba_n_groups: 1,
    mamba_n_heads: 64,
    mamba_proj_bias: false,
    num_attention_heads: 32,
    position_embedding_type: 'nope',
  };
  const stateSpace = { heads: 64, headSize: 64, groups: 1, stateSize: 128, convSize: 4, convBias: true };
  expect(read(hybrid)).toMatchObject({ mixers: ['state_space', 'attention'], stateSpace, hasRope: [false, false] });
  expect(read({ ...hybrid, mamba_d_head: 'auto', layer_types: ['linear_attention', 'full_attention'] })).toMatchObject({
    mixers: ['state_space', 'attention'],
    stateSpace,
  });
  expect(read({ ...hybrid, time_step_limit: [0, { __float__: 'Infinity' }] })).toMatchObject({ stateSpace });
  expect(() => read({ ...hybrid, time_step_limit: [0.001, 0.1] })).toThrow('time_step_limit');
  expect(() => read({ ...hybrid, mamba_proj_bias: true })).toThrow('mamba_proj_bias');
  expect(() => read({ ...hybrid, mamba_n_heads: 48 })).toThrow('mamba_n_heads must be');
  expect(() => read({ ...hybrid, mamba_d_head: 'auto', mamba_n_heads: 48 })).toThrow('mamba_n_heads must be');
  expect(() => read({ ...hybrid, mamba_n_groups: 3 })).toThrow('mamba_n_groups must be a divisor of 64 heads');
  expect(() => read({ ...hybrid, layer_types: ['mamba', 'rwkv'] })).toThrow('layer type rwkv is not implemented');
  expect(() => read({ ...hybrid, layer_types: ['mamba', 'mamba'] })).toThrow('without any layer of attention');
});

test('SmolLM3: which layers are told positions, and a list that is none', () => {
  const smollm3 = {
    model_type: 'smollm3',
    hidden_size: 2048,
    intermediate_size: 11008,
    max_position_embeddings: 65536,
    num_attention_heads: 16,
    num_hidden_layers: 5,
    num_key_value_heads: 4,
    rope_theta: 5000000,
    vocab_size: 128256,
  };
  expect(read(smollm3).hasRope).toEqual([true, true, true, false, true]);
  expect(read({ ...smollm3, no_rope_layers: [0, 1, 1, 1, 0] }).hasRope).toEqual([false, true, true, true, false]);
  expect(() => read({ ...smollm3, no_rope_layers: [1] })).toThrow('no_rope_layers must be a list of 5 entries');
});

test('Ministral 3 inside Mistral 3; FP8 weights are refused', () => {
  const ministral = {
    model_type: 'mistral3',
    text_config: {
      model_type: 'ministral3',
      head_dim: 128,
      hidden_size: 3072,
      intermediate_size: 9216,
      max_position_embeddings: 262144,
      num_attention_heads: 32,
      num_hidden_layers: 2,
      num_key_value_heads: 8,
      rope_parameters: {
        rope_type: 'yarn',
        rope_theta: 1000000,
        factor: 16,
        original_max_position_embeddings: 16384,
        llama_4_scaling_beta: 0.1,
        mscale: 1,
        mscale_all_dim: 1,
      },
      sliding_window: null,
      vocab_size: 131072,
    },
  };
  expect(read(ministral)).toMatchObject({ queryScaling: { beta: 0.1, originalMaxPositions: 16384 } });
  expect(() => read({ ...ministral, quantization_config: { quant_method: 'fp8' } })).toThrow('stored quantized (fp8)');
});

const moonlight = {
  model_type: 'deepseek_v3',
  aux_loss_alpha: 0.001,
  ep_size: 1,
  first_k_dense_replace: 1,
  hidden_act: 'silu',
  hidden_size: 2048,
  intermediate_size: 11264,
  kv_lora_rank: 512,
  max_position_embeddings: 8192,
  moe_intermediate_size: 1408,
  moe_layer_freq: 1,
  n_group: 1,
  n_routed_experts: 64,
  n_shared_experts: 2,
  norm_topk_prob: true,
  num_attention_heads: 16,
  num_experts_per_tok: 6,
  num_hidden_layers: 3,
  num_key_value_heads: 16,
  num_nextn_predict_layers: 0,
  q_lora_rank: null,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 50000,
  routed_scaling_factor: 2.446,
  scoring_func: 'sigmoid',
  topk_group: 1,
  topk_method: 'noaux_tc',
  v_head_dim: 128,
  vocab_size: 163840,
};

test('Moonlight-16B-A3B, of DeepSeek-V3’s kind', () => {
  expect(read(moonlight)).toMatchObject({
    mixers: ['latent_attention', 'latent_attention', 'latent_attention'],
    latentAttention: { queryRank: null, kvRank: 512, valueSize: 128 },
    headSize: 192,
    rotarySize: 64,
    rotaryPairs: 'neighbors',
    attentionScale: 192 ** -0.5,
    intermediateSize: 11264,
    experts: {
      count: 64,
      choices: 6,
      sigmoid: { groups: 1, chosenGroups: 1, scale: 2.446 },
      shared: { intermediateSize: 2816, gated: false },
      layers: [false, true, true],
    },
  });
});

test('DeepSeek-V3, whose YaRN scales scores, and routers of another kind', () => {
  const yarn = { beta_fast: 32, beta_slow: 1, factor: 40, mscale: 1, mscale_all_dim: 1, type: 'yarn' };
  const deepseek = {
    ...moonlight,
    max_position_embeddings: 163840,
    n_group: 8,
    n_routed_experts: 256,
    q_lora_rank: 1536,
    rope_scaling: { ...yarn, original_max_position_embeddings: 4096 },
    topk_group: 4,
  };
  const { attentionScale, ...config } = read(deepseek);
  expect(attentionScale).toBeCloseTo(192 ** -0.5 * (0.1 * Math.log(40) + 1) ** 2, 12);
  expect(config).toMatchObject({
    latentAttention: { queryRank: 1536 },
    experts: { sigmoid: { groups: 8, chosenGroups: 4 } },
    rope: { scaling: { kind: 'yarn', attentionFactor: 1 } },
  });
  for (const [key, value] of Object.entries({ scoring_func: 'softmax', topk_method: 'greedy', moe_layer_freq: 2 })) {
    expect(() => read({ ...deepseek, [key]: value })).toThrow(`${key} ${JSON.stringify(value)} is not implemented`);
  }
  expect(() => read({ ...deepseek, n_group: 7 })).toThrow('n_group');
  expect(() => read({ ...deepseek, num_key_value_heads: 8 })).toThrow('num_key_value_heads');
  expect(() => read({ ...deepseek, quantization_config: { quant_method: 'fp8' } })).toThrow('stored quantized (fp8)');
});

test('LFM2, whose layers with attention are told by number and whose MLP is narrower than written', () => {
  const lfm2 = {
    model_type: 'lfm2',
    block_auto_adjust_ff_dim: true,
    block_ff_dim: 12288,
    block_ffn_dim_multiplier: 1.0,
    block_multiple_of: 256,
    conv_L_cache: 3,
    conv_bias: false,
    full_attn_idxs: [2, 5],
    hidden_size: 2048,
    max_position_embeddings: 128000,
    norm_eps: 1e-5,
    num_attention_heads: 32,
    num_hidden_layers: 6,
    num_key_value_heads: 8,
    rope_theta: 1000000,
    tie_embedding: true,
    vocab_size: 65536,
  };
  const conv = 'short_conv';
  expect(read(lfm2)).toMatchObject({
    mixers: [conv, conv, 'attention', conv, conv, 'attention'],
    intermediateSize: 8192,
    shortConvSize: 3,
    headSize: 64,
    rmsNormEps: 1e-5,
    tieWordEmbeddings: true,
    scoreHead: false,
    qkNorm: 'each_head',
    rope: { theta: 1e6, scaling: null },
  });
  // As in transformers: without a factor, there is nothing to round up to.
  expect(read({ ...lfm2, block_ff_dim: 1000, block_ffn_dim_multiplier: null }).intermediateSize).toBe(666);
  expect(read({ ...lfm2, block_ff_dim: 1000 }).intermediateSize).toBe(768);
  expect(read({ ...lfm2, block_auto_adjust_ff_dim: false }).intermediateSize).toBe(12288);
  expect(() => read({ ...lfm2, conv_bias: true })).toThrow('conv_bias');
  expect(() => read({ ...lfm2, layer_types: ['conv', 'mamba'] })).toThrow('layer type mamba is not implemented');
  expect(() => read({ ...lfm2, full_attn_idxs: [] })).toThrow('without any layer of attention');
});

test('Qwen3.5 inside its multimodal model: every fourth layer has attention, a quarter of each head is turned', () => {
  const qwen = {
    model_type: 'qwen3_5',
    text_config: {
      model_type: 'qwen3_5_text',
      attn_output_gate: true,
      eos_token_id: 248044,
      full_attention_interval: 4,
      head_dim: 256,
      hidden_size: 1024,
      intermediate_size: 3584,
      linear_conv_kernel_dim: 4,
      linear_key_head_dim: 128,
      linear_num_key_heads: 16,
      linear_num_value_heads: 16,
      linear_value_head_dim: 128,
      max_position_embeddings: 262144,
      mtp_num_hidden_layers: 1,
      num_attention_heads: 8,
      num_hidden_layers: 8,
      num_key_value_heads: 2,
      rms_norm_eps: 1e-6,
      rope_parameters: {
        mrope_interleaved: true,
        mrope_section: [11, 11, 10],
        partial_rotary_factor: 0.25,
        rope_theta: 10000000,
        rope_type: 'default',
      },
      tie_word_embeddings: true,
      vocab_size: 248320,
    },
  };
  const three = ['gated_delta', 'gated_delta', 'gated_delta'];
  expect(read(qwen)).toMatchObject({
    architecture: 'qwen3_5_text',
    mixers: [...three, 'attention', ...three, 'attention'],
    gatedDelta: { keyHeads: 16, keySize: 128, valueHeads: 16, valueSize: 128, convSize: 4 },
    attentionGate: true,
    normOffset: 1,
    rotarySize: 64,
    rope: { theta: 1e7, scaling: null },
    tieWordEmbeddings: true,
    scoreHead: false,
    eosTokenIds: [248044],
  });
  const changed = (change: JsonObject) => read({ ...qwen, text_config: { ...qwen.text_config, ...change } });
  expect(() => changed({ attn_output_gate: false })).toThrow('attn_output_gate: false is not implemented');
  expect(() => changed({ attention_bias: true })).toThrow('attention_bias: true is not implemented');
  expect(() => changed({ linear_num_value_heads: 24 })).toThrow('a multiple of 16 key heads');
});

test('Qwen3.5-35B-A3B, whose MLP is the expert that all tokens share', () => {
  const config = read({
    model_type: 'qwen3_5_moe',
    text_config: {
      model_type: 'qwen3_5_moe_text',
      head_dim: 256,
      hidden_size: 2048,
      linear_num_value_heads: 32,
      max_position_embeddings: 262144,
      moe_intermediate_size: 512,
      num_attention_heads: 16,
      num_experts: 256,
      num_experts_per_tok: 8,
      num_hidden_layers: 4,
      num_key_value_heads: 2,
      rope_parameters: { partial_rotary_factor: 0.25, rope_theta: 10000000, rope_type: 'default' },
      shared_expert_intermediate_size: 512,
      vocab_size: 248320,
    },
  });
  expect(config).toMatchObject({
    experts: {
      count: 256,
      choices: 8,
      intermediateSize: 512,
      normalized: true,
      shared: { intermediateSize: 512, gated: true },
    },
    intermediateSize: 512,
    tieWordEmbeddings: false,
    scoreHead: false,
    rotarySize: 64,
  });
});

test('Seed-OSS-36B', () => {
  const seed: JsonObject = {
    model_type: 'seed_oss',
    attention_bias: true,
    attention_dropout: 0.1,
    attention_out_bias: false,
    head_dim: 128,
    hidden_act: 'silu',
    hidden_size: 5120,
    intermediate_size: 27648,
    max_position_embeddings: 524288,
    mlp_bias: false,
    num_attention_heads: 80,
    num_hidden_layers: 64,
    num_key_value_heads: 8,
    residual_dropout: 0.1,
    rms_norm_eps: 1e-6,
    rope_scaling: { rope_type: 'default' },
    rope_theta: 1e7,
    tie_word_embeddings: false,
    vocab_size: 155136,
  };
  expect(read(seed)).toMatchObject({
    headSize: 128,
    attentionBias: true,
    outputBias: false,
    mlpBias: false,
    rope: { theta: 1e7, scaling: null },
    attentionDropout: 0.1,
    residualDropout: 0.1,
  });
  expect(read({ ...seed, attention_out_bias: true, mlp_bias: true })).toMatchObject({
    outputBias: true,
    mlpBias: true,
  });
});
