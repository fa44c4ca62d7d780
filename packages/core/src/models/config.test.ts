import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { laterGoldenModels } from '../../test/fixtures.ts';
import { UserError } from '../errors.ts';
import { hasBalanceLoss } from './config.ts';
import { readConfig } from './index.ts';

const golden = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../../test/golden/models/${name}/config.json`, import.meta.url), 'utf8'));
const yarn = (factor: number, original_max_position_embeddings: number) => ({
  rope_type: 'yarn',
  factor,
  original_max_position_embeddings,
});
const read = (json: Record<string, unknown>, generation: Record<string, unknown> | null = null) =>
  readConfig(json, generation, 'config.json');

describe('the golden checkpoints', () => {
  test('Llama with Llama 3 rope', () => {
    expect(read(golden('llama3'))).toEqual({
      architecture: 'llama',
      vocabSize: 160,
      hiddenSize: 32,
      layerCount: 2,
      headCount: 4,
      kvHeadCount: 2,
      headSize: 8,
      intermediateSize: 64,
      mixers: ['attention', 'attention'],
      latentAttention: null,
      shortConvSize: null,
      gatedDelta: null,
      stateSpace: null,
      attentionGate: false,
      experts: null,
      rmsNormEps: 1e-5,
      tieWordEmbeddings: false,
      scoreHead: false,
      maxPositions: 512,
      attentionBias: false,
      outputBias: false,
      mlpBias: false,
      attentionSinks: false,
      valueNorm: false,
      globalAttention: null,
      keySharing: null,
      perLayerInputs: null,
      altUp: null,
      activationSparsity: [0, 0],
      layerScale: false,
      qkNorm: null,
      fusedQkv: false,
      fusedGateUp: false,
      activation: 'silu',
      norms: 'before',
      normOffset: 0,
      attentionScale: 1 / Math.sqrt(8),
      attentionSoftCap: 0,
      logitSoftCap: 0,
      embeddingScale: 1,
      residualScale: 1,
      logitScale: 1,
      slidingWindow: [null, null],
      rope: {
        theta: 500_000,
        scaling: { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 64 },
      },
      slidingRope: null,
      hasRope: [true, true],
      rotarySize: 8,
      rotaryPairs: 'halves',
      queryScaling: null,
      bosTokenId: 1,
      eosTokenIds: [2],
      padTokenId: 0,
      attentionDropout: 0,
      residualDropout: 0,
    });
  });

  test('Mistral slides on every layer', () => {
    expect(read(golden('mistral')).slidingWindow).toEqual([16, 16]);
  });

  test('Qwen2 has biases on q, k, v, Qwen3 norms and its own head size', () => {
    expect(read(golden('qwen2'))).toMatchObject({ attentionBias: true, outputBias: false, qkNorm: null, headSize: 8 });
    expect(read(golden('qwen3'))).toMatchObject({ attentionBias: false, qkNorm: 'each_head', headSize: 16 });
  });
});

describe('what config.json leaves out', () => {
  test('Llama: as many key heads as heads, head size from the hidden size', () => {
    const { num_key_value_heads: _, head_dim: __, ...json } = golden('llama3');
    expect(read(json)).toMatchObject({ kvHeadCount: 4, headSize: 8 });
  });

  test('Mistral: transformers assumes a window of 4096 unless it is null', () => {
    const { sliding_window: _, ...json } = golden('mistral');
    expect(read(json).slidingWindow).toEqual([4096, 4096]);
    expect(read({ ...json, sliding_window: null }).slidingWindow).toEqual([null, null]);
  });

  const llama4 = { mscale: 1, mscale_all_dim: 1, llama_4_scaling_beta: 0.1 };
  const gemma4Rope = {
    sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
    full_attention: { rope_type: 'proportional', partial_rotary_factor: 0.25, rope_theta: 1e6 },
  };
  /** As transformers 5.17 fills them in. */
  const written: [string, Record<string, unknown>][] = [
    ['mistral', { num_key_value_heads: 8 }],
    ['qwen2', { num_key_value_heads: 32 }],
    ['qwen3', { head_dim: 128, num_key_value_heads: 32 }],
    ['qwen3-moe', { num_key_value_heads: 4 }],
    ['gemma2', { num_key_value_heads: 4 }],
    ['phi3', { rms_norm_eps: 1e-5 }],
    ['olmo3', { rms_norm_eps: 1e-5, rope_parameters: { rope_theta: 5e5 } }],
    ['olmo2', { rms_norm_eps: 1e-5 }],
    ['glm4-moe', { num_key_value_heads: 8, rms_norm_eps: 1e-5, n_group: 1, topk_group: 1, first_k_dense_replace: 1 }],
    ['seed-oss', { num_key_value_heads: 8, head_dim: 128, attention_bias: true }],
    ['smollm3', { num_key_value_heads: 4, rope_parameters: { rope_theta: 2e6 } }],
    ['glm4', { attention_bias: true, num_key_value_heads: 2, rms_norm_eps: 1.5625e-7, head_dim: 128 }],
    ['ministral3', { head_dim: 128, rms_norm_eps: 1e-5, num_key_value_heads: 8 }],
    ['ministral3', { rope_parameters: { ...yarn(16, 16384), rope_theta: 1e6, ...llama4 } }],
    ['gpt-oss', { num_key_value_heads: 8, rope_parameters: { ...yarn(32, 4096), rope_theta: 15e4, truncate: false } }],
    ['gemma4', { rope_parameters: gemma4Rope }],
  ];
  test.each(written)('%s: %j', (name, values) => {
    const json = { ...golden(name), num_attention_heads: 32, hidden_size: 256 };
    const left = Object.fromEntries(Object.entries(json).filter(([key]) => !(key in values)));
    expect(read(left)).toEqual(read({ ...json, ...values }));
    if ('rope_parameters' in values) expect(read({ ...left, rope_parameters: null })).toEqual(read(left));
  });

  test('Qwen2, old spelling: the upper layers slide', () => {
    const { layer_types: _, ...json } = golden('qwen2');
    const windows = { use_sliding_window: true, sliding_window: 64, max_window_layers: 1 };
    expect(read({ ...json, ...windows }).slidingWindow).toEqual([null, 64]);
    expect(read({ ...json, ...windows, use_sliding_window: false }).slidingWindow).toEqual([null, null]);
    expect(read({ ...json, ...windows, sliding_window: null }).slidingWindow).toEqual([null, null]);
  });
});

describe('keys that transformers reads in another way for some model types', () => {
  test('Qwen3 with experts: every layer slides, whatever max_window_layers says', () => {
    const windows = { use_sliding_window: true, sliding_window: 9, max_window_layers: 28 };
    expect(read({ ...golden('qwen3-moe'), ...windows }).slidingWindow).toEqual([9, 9]);
    expect(read({ ...golden('qwen3-moe'), ...windows, use_sliding_window: false }).slidingWindow).toEqual([null, null]);
  });

  test('Gemma 3: attn_logit_softcapping caps nothing', () => {
    expect(read({ ...golden('gemma3-mixed'), attn_logit_softcapping: 5 }).attentionSoftCap).toBe(0);
    expect(read({ ...golden('gemma2'), attn_logit_softcapping: 5 }).attentionSoftCap).toBe(5);
  });

  test('Phi-3: yarn of its first files is LongRoPE', () => {
    const { rope_parameters } = golden('phi4-mini') as { rope_parameters: Record<string, unknown> };
    const json = { ...golden('phi4-mini'), rope_parameters: { ...rope_parameters, rope_type: 'yarn' } };
    expect(read(json).rope).toEqual(read(golden('phi4-mini')).rope);
  });

  test('a rotary part in rope_parameters goes before that beside them', () => {
    expect(read({ ...golden('phi4-mini'), partial_rotary_factor: 0.25 }).rotarySize).toBe(6);
  });

  test('Ministral 3: a llama_4_scaling_beta of 0 scales no query', () => {
    const { rope_parameters } = golden('ministral3') as { rope_parameters: Record<string, unknown> };
    const json = { ...golden('ministral3'), rope_parameters: { ...rope_parameters, llama_4_scaling_beta: 0 } };
    expect(read(json).queryScaling).toBe(null);
  });
});

test('end tokens come from both files, each once', () => {
  const json = { ...golden('llama3'), eos_token_id: [7, 8] };
  expect(read(json, { eos_token_id: [8, 9] }).eosTokenIds).toEqual([7, 8, 9]);
  expect(read({ ...json, eos_token_id: null }, { eos_token_id: 3 }).eosTokenIds).toEqual([3]);
});

test.each([
  ['llama3', { model_type: 'gpt2' }, 'model type gpt2 is not implemented'],
  ['llama3', { hidden_act: 'gelu' }, 'hidden_act gelu is not implemented'],
  ['llama3', { quantization_config: { quant_method: 'gptq' } }, 'stored quantized (gptq)'],
  [
    'llama3',
    { quantization_config: { quant_method: 'bitsandbytes', load_in_8bit: true } },
    'stored quantized (bitsandbytes)',
  ],
  ['llama3', { num_local_experts: 8 }, 'mixtures of experts'],
  ['llama3', { num_hidden_layers: 2 ** 30 }, 'num_hidden_layers must be a whole number from 1 to 1024'],
  ['llama3', { num_key_value_heads: 3 }, 'num_key_value_heads must be a divisor of 4 heads'],
  ['llama3', { head_dim: 7 }, 'head_dim must be an even number'],
  ['llama3', { eos_token_id: 'end' }, 'eos_token_id must be a token id or a list'],
  ['llama3', { tie_word_embeddings: 'no' }, 'tie_word_embeddings must be true or false'],
  ['llama3', { is_causal: false }, 'attention to later tokens (is_causal: false)'],
  ['gemma3n', { altup_coef_clip: 1 }, 'altup_coef_clip 1,'],
  ['qwen2', { layer_types: ['full_attention'] }, 'layer_types must be a list of 2 entries'],
  ['qwen2', { layer_types: ['full_attention', 'linear_attention'] }, 'layer type linear_attention is not implemented'],
  ['qwen2', { layer_types: ['full_attention', 'sliding_attention'] }, 'use_sliding_window must be true'],
])('%s with %j is refused', (name, change, message) => {
  expect(() => read({ ...golden(name), ...change })).toThrow(message);
});

test.each(['qwen3-yarn', ...laterGoldenModels])(
  '%s: whatever a key holds, the answer is a config or a UserError',
  (name) => {
    const base = golden(name);
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(base)), fc.jsonValue(), (key, value) => {
        try {
          const config = read({ ...base, [key]: value });
          expect(Number.isInteger(config.headSize) && config.slidingWindow.length === config.layerCount).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 2000 },
    );
  },
);

describe('the balance loss of routers', () => {
  const asked = { ...golden('qwen3-moe'), output_router_logits: true };

  test('counts as much as config.json says, 1 and more as well', () => {
    for (const router_aux_loss_coef of [0, 0.001, 1, 2.5])
      expect(read({ ...asked, router_aux_loss_coef }).experts?.balanceLoss).toBe(router_aux_loss_coef);
    for (const router_aux_loss_coef of [-0.1, 1e39, '1'])
      expect(() => read({ ...asked, router_aux_loss_coef })).toThrow('router_aux_loss_coef');
  });

  test('is none where every layer is dense', () => {
    const { num_hidden_layers: layers } = asked as { num_hidden_layers?: number };
    const mlp_only_layers = Array.from({ length: Number(layers) }, (_, layer) => layer);
    expect(hasBalanceLoss(read(asked))).toBe(true);
    expect(hasBalanceLoss(read({ ...asked, mlp_only_layers }))).toBe(false);
  });
});
