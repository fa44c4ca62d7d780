import { expect, test } from 'vitest';
import { architectureOf, architectures, NEAREST } from './index.ts';

test.each([
  ['phi', 'phi3'],
  ['qwen2_moe', 'qwen3_moe'],
  ['gemma5_text', 'gemma3_text'],
  ['smolm3', 'smollm3'],
  ['deepseek_v2', 'deepseek_v3'],
  ['llama4_text', 'llama'],
  ['mixtral', 'qwen3_moe'],
  ['qwen3_next', 'qwen3_5_moe_text'],
  ['exaone4', 'olmo3'],
  ['qwen2_5_vl', 'qwen2'],
  ['qwen3_vl_moe', 'qwen3_moe'],
  ['granitemoe', 'granitemoehybrid'],
  ['internlm2', 'llama'],
  ['minicpm', 'granite'],
  ['mistral4', 'deepseek_v3'],
  ['starcoder2', 'qwen2'],
])('%s is refused with the name of %s and the page that shows how to add a model', (modelType, nearest) => {
  expect(() => architectureOf(modelType, 'config.json')).toThrow(
    expect.objectContaining({
      code: 'model_unsupported',
      message: expect.stringContaining(`the nearest one that is: ${nearest};`),
      next: expect.stringContaining('docs/add-a-model.md'),
    }),
  );
});

test('types that are named as near ones are known', () => {
  const known = new Set(architectures.map(({ modelType }) => modelType));
  for (const [modelType, nearest] of NEAREST) {
    expect([modelType, known.has(modelType), known.has(nearest)]).toEqual([modelType, false, true]);
  }
});

test('a type like none is refused with the list of all', () => {
  const all = architectures.map(({ modelType }) => modelType).join(', ');
  expect(() => architectureOf('xyz', 'config.json')).toThrow(`model type xyz is not implemented; known are ${all}`);
});
