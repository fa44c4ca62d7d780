import { join } from 'node:path';
import { openGguf } from '@anneal/formats/gguf/read';
import { describe, expect, test } from 'vitest';
import { goldenModel, goldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { mergedWeights } from '../models/adapters/merge.ts';
import { openModel } from '../models/open.ts';
import { inverseFrequencies } from '../models/rope.ts';
import { exportGguf, ggufFileName } from './gguf.ts';
import { GGUF_TYPES } from './ggufTypes.ts';

describe.each(['llama3', 'smollm2', 'mistral', 'qwen2', 'qwen3', 'qwen3-yarn'])('%s', (name) => {
  test('in float32 comes back bit for bit, with everything that decides what it computes', async () => {
    const model = goldenModel(name);
    const adapter = await loadLoraWeights(join(goldenPath(name), 'adapter'), model);
    const folder = join(temporaryFolder(), 'gguf');
    await exportGguf(folder, { model, adapter, types: ['f32'], name });
    const again = openModel(join(folder, ggufFileName(name, 'f32')));
    for (const tensor of model.tensors.keys()) {
      expect(again.tensors.get(tensor)?.float32(), tensor).toEqual(await mergedWeights(model, adapter, tensor));
    }
    const { rope, bosTokenId: _, eosTokenIds: __, padTokenId: ___, ...config } = model.config;
    expect(again.config).toMatchObject(config);
    const expected = inverseFrequencies(config.headSize, rope);
    const found = inverseFrequencies(config.headSize, again.config.rope);
    expect(found.inverse).toEqual(expected.inverse);
    expect(found.attentionScale).toBeCloseTo(expected.attentionScale, 6);
    again.close();
  });
});

test('all types in one pass: vectors stay float32, the head has 8 bits at least', async () => {
  const model = goldenModel('llama3');
  const folder = join(temporaryFolder(), 'gguf');
  const { files } = await exportGguf(folder, { model, adapter: null, types: GGUF_TYPES, name: 'Tiny Model' });
  expect(files).toHaveLength(GGUF_TYPES.length);
  const types = GGUF_TYPES.map((type) => {
    const file = openGguf(join(folder, `Tiny-Model-${type.toUpperCase()}.gguf`));
    file.close();
    const of = (name: string): string => file.tensors.get(name)?.dtype ?? 'missing';
    return [of('blk.0.attn_q.weight'), of('token_embd.weight'), of('output.weight'), of('blk.0.attn_norm.weight')];
  });
  expect(types).toEqual([
    ['F32', 'F32', 'F32', 'F32'],
    ['F16', 'F16', 'F16', 'F32'],
    ['BF16', 'BF16', 'BF16', 'F32'],
    ['Q8_0', 'Q8_0', 'Q8_0', 'F32'],
    ['Q8_0', 'Q8_0', 'Q8_0', 'F32'],
    ['Q5_1', 'Q5_1', 'Q8_0', 'F32'],
    ['Q5_1', 'Q5_1', 'Q8_0', 'F32'],
    ['Q5_0', 'Q8_0', 'Q8_0', 'F32'],
    ['Q5_0', 'Q5_0', 'Q8_0', 'F32'],
    ['Q5_0', 'Q5_0', 'Q8_0', 'F32'],
    ['Q4_0', 'Q8_0', 'Q8_0', 'F32'],
    ['IQ4_NL', 'IQ4_NL', 'Q8_0', 'F32'],
    ['IQ4_NL', 'IQ4_NL', 'Q8_0', 'F32'],
    ['Q4_0', 'Q4_0', 'Q8_0', 'F32'],
    ['IQ4_NL', 'IQ4_NL', 'Q8_0', 'F32'],
    ['IQ4_NL', 'IQ4_NL', 'Q8_0', 'F32'],
    ['IQ4_NL', 'IQ4_NL', 'Q8_0', 'F32'],
    ['Q4_0', 'Q4_0', 'Q8_0', 'F32'],
  ]);
});

test('the metadata llama.cpp reads', async () => {
  const model = goldenModel('qwen3-yarn');
  const folder = join(temporaryFolder(), 'gguf');
  const { warnings } = await exportGguf(folder, { model, adapter: null, types: ['q8_0'], name: 'tiny' });
  const file = openGguf(join(folder, 'tiny-Q8_0.gguf'));
  file.close();
  const values = Object.fromEntries([...file.metadata].map(([key, { value }]) => [key, value]));
  expect(values).toMatchObject({
    'general.architecture': 'qwen3',
    'general.name': 'tiny',
    'general.file_type': 7,
    'general.quantization_version': 2,
    'qwen3.block_count': 2,
    'qwen3.attention.key_length': 16,
    'qwen3.rope.scaling.type': 'yarn',
    'qwen3.rope.scaling.factor': 4,
    'qwen3.rope.scaling.original_context_length': 128,
    'tokenizer.ggml.model': 'none',
  });
  expect(warnings).toEqual(['The model has no tokenizer, so the files take and give token ids only.']);
});

test('a sliding window is announced, because llama.cpp ignores it', async () => {
  const model = goldenModel('mistral');
  const folder = join(temporaryFolder(), 'gguf');
  const { warnings } = await exportGguf(folder, { model, adapter: null, types: ['f16'], name: 'tiny' });
  expect(warnings[0]).toContain('beyond 16 tokens');
});

test('a factor of YaRN that deepseek2 has no field for is refused', async () => {
  const model = goldenModel('deepseek-v3');
  const { scaling } = model.config.rope;
  if (scaling?.kind !== 'yarn') throw new Error('the golden model has YaRN');
  const rope = { ...model.config.rope, scaling: { ...scaling, attentionFactor: 0.9 } };
  const changed = { ...model, config: { ...model.config, rope } };
  const exporting = exportGguf(join(temporaryFolder(), 'gguf'), {
    model: changed,
    adapter: null,
    types: ['f16'],
    name: 'x',
  });
  await expect(exporting).rejects.toThrow('attention factor of YaRN');
});

test('what llama.cpp would silently compute otherwise is refused', async () => {
  const model = goldenModel('qwen3-yarn');
  const { scaling } = model.config.rope;
  if (scaling?.kind !== 'yarn') throw new Error('the golden model has YaRN');
  const changed = {
    ...model,
    config: { ...model.config, rope: { theta: 1e6, scaling: { ...scaling, betaFast: 20 } } },
  };
  const exporting = exportGguf(join(temporaryFolder(), 'gguf'), {
    model: changed,
    adapter: null,
    types: ['f16'],
    name: 'x',
  });
  await expect(exporting).rejects.toThrow('cannot be exported to GGUF: llama.cpp knows YaRN only with');
});
