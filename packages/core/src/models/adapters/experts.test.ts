import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adapterGoldenPath, goldenModel } from '../../../test/fixtures.ts';
import { expertsApart, expertsTogether, targetedExperts } from './experts.ts';
import { loadLoraWeights } from './loadLora.ts';

function named(name: 'llama3' | 'qwen3-moe' | 'gpt-oss' | 'gemma4-moe', targets: readonly string[]) {
  const { config, architecture } = goldenModel(name);
  return targetedExperts(config, architecture.names, targets);
}

test('matrices of experts match as dotted ends, in model order', () => {
  expect(named('llama3', [])).toEqual([]);
  expect(named('qwen3-moe', ['down_proj'])).toEqual(['layers.0.experts_down', 'layers.1.experts_down']);
  expect(named('qwen3-moe', ['layers.1.mlp.experts.down_proj', 'experts.gate_up_proj'])).toEqual([
    'layers.0.experts_gate_up',
    'layers.1.experts_gate_up',
    'layers.1.experts_down',
  ]);
  expect(named('gemma4-moe', ['layers.1.experts.down_proj'])).toEqual(['layers.1.experts_down']);
});

test.each([
  ['llama3', ['down_proj'], 'remove lora_target_parameters'],
  ['qwen3-moe', ['gate_up_proj', 'q_proj'], 'use gate_up_proj and down_proj'],
  ['gpt-oss', ['down_proj'], 'remove lora_target_parameters'],
  ['qwen3-moe', ['proj'], 'use gate_up_proj and down_proj'],
] as const)('of %s, %j is refused', (model, targets, next) => {
  expect(() => named(model, targets)).toThrow(expect.objectContaining({ code: 'adapter_target_unknown', next }));
});

test('an adapter of PEFT on experts that lie otherwise in files is refused, one on experts of another number, too', async () => {
  const folder = join(adapterGoldenPath('moe-experts'), 'adapter');
  await expect(loadLoraWeights(folder, goldenModel('gpt-oss'))).rejects.toThrow(
    'is on experts, which Anneal does not support',
  );
  const model = goldenModel('qwen3-moe');
  const experts = { ...model.config.experts, count: 4 } as NonNullable<typeof model.config.experts>;
  await expect(loadLoraWeights(folder, { ...model, config: { ...model.config, experts } })).rejects.toThrow(
    'another base',
  );
});

test("PEFT's order of B, experts innermost, and ours", () => {
  const [experts, outputs, rank] = [3, 2, 2];
  const ours = Float32Array.from({ length: experts * outputs * rank }, (_, i) => i);
  const peft = Float32Array.of(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11);
  expect(expertsTogether(ours, experts, rank)).toEqual(peft);
  expect(expertsApart(peft, experts, rank)).toEqual(ours);
});
