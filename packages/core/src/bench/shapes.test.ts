import { expect, test } from 'vitest';
import { randomModel, shapes } from './shapes.ts';

test('shapes have as many weights as the models that they are named after', () => {
  // Millions, embeddings counted once where they are tied: as transformers counts the same configurations.
  const published = {
    'smollm2-135m': 135,
    'qwen3-0.6b': 596,
    'gemma-3-1b': 1000,
    'qwen3-1.7b': 1721,
    'qwen3-14b': 14_768,
    'qwen3-32b': 32_762,
    'qwen3-30b-a3b': 30_532,
    'llama-3.1-8b': 8030,
    'gemma-2-2b': 2614,
    'gemma-3-4b': 3880,
    'gemma-4-e2b': 4629,
    'phi-4-mini': 3836,
    'smollm3-3b': 3075,
    'qwen3.5-4b': 4206,
    'qwen3.5-35b-a3b': 34_661,
    'gpt-oss-20b': 20_915,
    'lfm2-1.2b': 1170,
    'granite-4.0-h-micro': 3191,
    'moonlight-16b-a3b': 15_960,
  };
  const counts = Object.keys(shapes).map((shape) => {
    const sizes = [...randomModel(shape).tensors.values()].map((tensor) => tensor.shape.reduce((a, b) => a * b, 1));
    return [shape, Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1e6)];
  });
  expect(Object.fromEntries(counts)).toEqual(published);
});
