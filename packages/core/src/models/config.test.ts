import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { laterGoldenModels } from '../../test/fixtures.ts';
import { UserError } from '../errors.ts';
import { hasBalanceLoss } from './config.ts';
import { readConfig } from './index.ts';

const golden = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../../test/golden/models/${name}/config.json`, import.meta.url), 'utf8'));
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

  test('Qwen3: head size 128', () => {
    const { head_dim: _, ...json } = golden('qwen3');
    expect(read(json).headSize).toBe(128);
  });

  test('Qwen2, old spelling: the upper layers slide', () => {
    const { layer_types: _, ...json } = golden('qwen2');
    const windows = { use_sliding_window: true, sliding_window: 64, max_window_layers: 1 };
    expect(read({ ...json, ...windows }).slidingWindow).toEqual([null, 64]);
    expect(read({ ...json, ...windows, use_sliding_window: false }).slidingWindow).toEqual([null, null]);
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
