import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { architectureOf, readConfig } from '../index.ts';
import { linearOfModule, moduleName, targetedLinears } from './targets.ts';

const json = JSON.parse(
  readFileSync(new URL('../../../test/golden/models/llama3/config.json', import.meta.url), 'utf8'),
);
const config = readConfig(json, null, 'config.json');
const { names } = architectureOf('llama', 'config.json');
const targeted = (targets: string | string[]) => targetedLinears(config, names, targets);

test('all-linear is the seven linears of every layer, never embedding or head', () => {
  expect(targeted('all-linear')).toEqual(
    [0, 1].flatMap((layer) => ['q', 'k', 'v', 'o', 'gate', 'up', 'down'].map((name) => `layers.${layer}.${name}`)),
  );
});

test('names match as dotted ends, in model order whatever order they are listed in', () => {
  expect(targeted(['v_proj', 'q_proj'])).toEqual(['layers.0.q', 'layers.0.v', 'layers.1.q', 'layers.1.v']);
  expect(targeted(['layers.1.mlp.up_proj'])).toEqual(['layers.1.up']);
});

test('a string is a regular expression over the whole module name', () => {
  expect(targeted('.*\\.1\\..*(q|down)_proj')).toEqual(['layers.1.q', 'layers.1.down']);
});

test('embedding and output layer come last, and not with all-linear', () => {
  expect(targeted(['lm_head', 'v_proj', 'embed_tokens'])).toEqual(['layers.0.v', 'layers.1.v', 'embed', 'lm_head']);
  expect(targeted('.*(embed_tokens|v_proj)')).toEqual(['layers.0.v', 'layers.1.v', 'embed']);
  expect(targeted('all-linear')).not.toContain('lm_head');
});

test.each([
  [['q_proj', 'w_proj'], 'lora_target_modules names w_proj, which is no linear layer'],
  [['embed'], 'names embed,'],
  [['roj'], 'names roj,'],
  [[], 'an empty list'],
  ['q_proj', 'names q_proj,'],
  ['(', 'no usable regular expression'],
  ['(([a-z.0-9_]+)+)+!', 'no usable regular expression: matching takes more than 1000 ms'],
])('%j is refused', (targets, message) => {
  expect(() => targeted(targets)).toThrow(message);
});

test('of a mixture of experts the attention is adapted; an expert is refused by name', () => {
  const path = new URL('../../../test/golden/models/qwen3-moe/config.json', import.meta.url);
  const experts = readConfig(JSON.parse(readFileSync(path, 'utf8')), null, 'config.json');
  const qwen = architectureOf('qwen3_moe', 'config.json').names;
  const attention = [0, 1].flatMap((layer) => ['q', 'k', 'v', 'o'].map((name) => `layers.${layer}.${name}`));
  expect(targetedLinears(experts, qwen, 'all-linear')).toEqual(attention);
  expect(() => targetedLinears(experts, qwen, ['q_proj', 'gate_proj'])).toThrow(
    expect.objectContaining({ next: expect.stringContaining('experts are named in lora_target_parameters') }),
  );
});

test('the expert that all tokens share is adapted like any MLP, its gate is not', () => {
  const path = new URL('../../../test/golden/models/qwen3.5-moe/config.json', import.meta.url);
  const qwen = readConfig(JSON.parse(readFileSync(path, 'utf8')), null, 'config.json');
  const { names: ofQwen } = architectureOf('qwen3_5_moe_text', 'config.json');
  const mlp = [0, 1].flatMap((layer) => ['gate', 'up', 'down'].map((name) => `layers.${layer}.shared_${name}`));
  expect(targetedLinears(qwen, ofQwen, ['gate_proj', 'up_proj', 'down_proj'])).toEqual(mlp);
  expect(targetedLinears(qwen, ofQwen, 'all-linear')).toEqual(expect.arrayContaining(mlp));
  expect(() => targetedLinears(qwen, ofQwen, ['shared_expert_gate'])).toThrow(
    'shared_expert_gate, which is no linear layer',
  );
});

test('of latent attention the projections of low rank are adapted, the router and its correction are not', () => {
  const path = new URL('../../../test/golden/models/deepseek-v3/config.json', import.meta.url);
  const deepseek = readConfig(JSON.parse(readFileSync(path, 'utf8')), null, 'config.json');
  const { names: ofDeepseek } = architectureOf('deepseek_v3', 'config.json');
  const attention = ['q_a', 'q_b', 'kv_a', 'kv_b', 'o'];
  const [dense, experts] = [
    ['gate', 'up', 'down'],
    ['shared_gate', 'shared_up', 'shared_down'],
  ];
  expect(targetedLinears(deepseek, ofDeepseek, 'all-linear')).toEqual(
    [dense, experts, experts].flatMap((mlp, layer) => [...attention, ...mlp].map((name) => `layers.${layer}.${name}`)),
  );
  expect(targetedLinears(deepseek, ofDeepseek, ['kv_a_proj_with_mqa'])).toHaveLength(3);
  expect(() => targetedLinears(deepseek, ofDeepseek, ['mlp.gate'])).toThrow('mlp.gate, which is no linear layer');
});

test('of Gemma 4 layers that share keys have none to adapt; each layer has two linears for its inputs', () => {
  const path = new URL('../../../test/golden/models/gemma4/config.json', import.meta.url);
  const gemma = readConfig(JSON.parse(readFileSync(path, 'utf8')), null, 'config.json');
  const { names: ofGemma } = architectureOf('gemma4_text', 'config.json');
  const inputs = ['per_layer_gate', 'per_layer_out'];
  expect(targetedLinears(gemma, ofGemma, 'all-linear').filter((name) => /\.[13]\./.test(name))).toEqual([
    ...['q', 'k', 'v', 'o', 'gate', 'up', 'down', ...inputs].map((name) => `layers.1.${name}`),
    ...['q', 'o', 'gate', 'up', 'down', ...inputs].map((name) => `layers.3.${name}`),
  ]);
});

test('of Gemma 3n what stands beside attention is adapted, the streams are not', () => {
  const path = new URL('../../../test/golden/models/gemma3n/config.json', import.meta.url);
  const gemma = readConfig(JSON.parse(readFileSync(path, 'utf8')), null, 'config.json');
  const { names: ofGemma } = architectureOf('gemma3n_text', 'config.json');
  const beside = ['laurel_left', 'laurel_right'];
  const mlp = ['gate', 'up', 'down', 'per_layer_gate', 'per_layer_out'];
  expect(targetedLinears(gemma, ofGemma, 'all-linear').filter((name) => /\.[13]\./.test(name))).toEqual([
    ...['q', 'k', 'v', 'o', ...beside, ...mlp].map((name) => `layers.1.${name}`),
    ...['q', 'o', ...beside, ...mlp].map((name) => `layers.3.${name}`),
  ]);
  expect(() => targetedLinears(gemma, ofGemma, ['modality_router'])).toThrow(
    'modality_router, which is no linear layer',
  );
});

/** Of a layer, as Hugging Face names them. */
const attention = ['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) => `self_attn.${name}`);
const fusedMlp = ['mlp.gate_up_proj', 'mlp.down_proj'];
const phi3 = ['self_attn.qkv_proj', 'self_attn.o_proj', ...fusedMlp];
const sharedMlp = ['shared_mlp.input_linear', 'shared_mlp.output_linear'];
const mamba = ['mamba.in_proj', 'mamba.out_proj', ...sharedMlp];
const feedForward = ['feed_forward.w1', 'feed_forward.w3', 'feed_forward.w2'];
const convolution = ['conv.in_proj', 'conv.out_proj', ...feedForward];
const ofLfm2 = ['q_proj', 'k_proj', 'v_proj', 'out_proj'].map((name) => `self_attn.${name}`);
const mlp = ['mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'];
const delta = ['in_proj_qkv', 'in_proj_z', 'in_proj_b', 'in_proj_a', 'out_proj'].map((name) => `linear_attn.${name}`);

test.each([
  ['phi3', [phi3, phi3]],
  ['phi4-mini', [phi3, phi3]],
  ['glm4', [1, 2].map(() => [...attention, ...fusedMlp])],
  ['gpt-oss', [attention, attention]],
  ['granite4', [1, 2].map(() => [...attention, ...sharedMlp])],
  ['granite4-h', [mamba, [...attention, ...sharedMlp]]],
  ['granite4-moe', [mamba, [...attention, ...sharedMlp]]],
  ['lfm2', [convolution, [...ofLfm2, ...feedForward], convolution]],
  ['qwen3.5', [...[1, 2, 3].map(() => [...delta, ...mlp]), [...attention, ...mlp]]],
])("of %s all-linear is PEFT's", (model, layers) => {
  const path = new URL(`../../../test/golden/models/${model}/config.json`, import.meta.url);
  const written = JSON.parse(readFileSync(path, 'utf8'));
  const { names: own } = architectureOf(written.model_type, 'config.json');
  const modules = targetedLinears(readConfig(written, null, 'config.json'), own, 'all-linear').map((linear) =>
    moduleName(own, linear),
  );
  expect(modules).toEqual(layers.flatMap((layer, i) => layer.map((name) => `model.layers.${i}.${name}`)));
});

test('module names go both ways', () => {
  expect(moduleName(names, 'layers.1.gate')).toBe('model.layers.1.mlp.gate_proj');
  expect(linearOfModule(config, names, 'model.layers.1.mlp.gate_proj')).toBe('layers.1.gate');
  expect(linearOfModule(config, names, 'model.layers.2.mlp.gate_proj')).toBeNull();
  expect(linearOfModule(config, names, 'lm_head')).toBe('lm_head');
  expect(linearOfModule(config, names, 'model.norm')).toBeNull();
});
