import { join } from 'node:path';
import { cpuDevice } from '@anneal/kernels';
import { expect, onTestFinished, test } from 'vitest';
import { adapterGoldenPath, goldenModel, goldenPath, temporaryFolder } from '../../../test/fixtures.ts';
import { exportGguf, ggufFileName } from '../../export/gguf.ts';
import { exportLora } from '../../export/lora.ts';
import { exportMerged } from '../../export/merged.ts';
import { adaptedProgram, baseProgram, openDecodeEngine } from '../../generate/decodeEngine.ts';
import { generate } from '../../generate/generate.ts';
import { greedy } from '../../generate/sample.ts';
import { type OpenModel, openModel } from '../open.ts';
import { type FullOptions, fullTensors } from './full.ts';
import { loadLoraWeights } from './loadLora.ts';
import type { LoraWeights } from './loraWeights.ts';
import { changedTensors, mergedWeights } from './merge.ts';

const nothing: FullOptions = { modulesToSave: [], bias: 'none' };
const exportOptions = { dropout: 0, baseModel: 'org/model' };

function named(name: 'llama3' | 'qwen2', options: Partial<FullOptions>, linears: readonly string[] = ['layers.1.q']) {
  const { config, architecture } = goldenModel(name);
  return fullTensors(config, architecture.names, { ...nothing, ...options }, linears);
}

async function opened(kind: string, base: string): Promise<{ model: OpenModel; adapter: LoraWeights }> {
  const model = goldenModel(base);
  return { model, adapter: await loadLoraWeights(join(adapterGoldenPath(kind), 'adapter'), model) };
}

test('modules match as dotted ends, in model order; both names of one matrix mean it', () => {
  expect(named('llama3', {})).toEqual([]);
  expect(named('llama3', { modulesToSave: ['lm_head', 'embed_tokens'] })).toEqual(['embed', 'lm_head']);
  expect(named('llama3', { modulesToSave: ['norm'] })).toEqual(['final_norm']);
  expect(named('llama3', { modulesToSave: ['input_layernorm', '1.post_attention_layernorm'] })).toEqual([
    'layers.0.attention_norm',
    'layers.1.attention_norm',
    'layers.1.mlp_norm',
  ]);
  expect(named('qwen2', { modulesToSave: ['lm_head'] })).toEqual(['embed']);
});

test('biases: of all linears, or of those with an adapter', () => {
  const all = [0, 1].flatMap((layer) => ['q', 'k', 'v'].map((part) => `layers.${layer}.${part}_bias`));
  expect(named('qwen2', { bias: 'all' })).toEqual(all);
  expect(named('qwen2', { bias: 'lora_only' })).toEqual(['layers.1.q_bias']);
});

test.each([
  [{ modulesToSave: ['embed_tokens', 'q_proj'] }, 'names q_proj, which is no embedding, head or norm'],
  [{ modulesToSave: ['tokens'] }, 'names tokens'],
  [{ bias: 'all' }, 'no layer of this model has a bias'],
  [{ bias: 'lora_only' }, 'no layer that the adapter is on has a bias'],
] as const)('%j is refused where it names nothing', (options, message) => {
  expect(() => named('llama3', options)).toThrow(message);
});

test.each([
  ['bias-all', 'qwen2'],
  ['bias-lora-only', 'qwen2'],
  ['modules-to-save', 'llama3'],
  ['modules-to-save-tied', 'qwen2'],
  ['lora-bias', 'qwen2'],
  ['moe-experts', 'qwen3-moe'],
  ['trainable-tokens', 'llama3'],
  ['trainable-tokens-tied', 'qwen2'],
  ['lora-head-embed', 'llama3'],
])('%s comes back from a PEFT folder, and stands in merged models and GGUF files', async (kind, base) => {
  const { model, adapter } = await opened(kind, base);
  const folder = temporaryFolder();
  await exportLora(join(folder, 'adapter'), { model, adapter, ...exportOptions });
  expect(await loadLoraWeights(join(folder, 'adapter'), model)).toEqual(adapter);
  await exportMerged(join(folder, 'merged'), { model, adapter, dtype: 'F32' });
  await exportGguf(join(folder, 'gguf'), { model, adapter, types: ['f32'], name: kind });
  for (const path of [join(folder, 'merged'), join(folder, 'gguf', ggufFileName(kind, 'f32'))]) {
    const merged = openModel(path);
    for (const name of changedTensors(adapter)) {
      const expected = adapter.full.get(name) ?? (await mergedWeights(model, adapter, name));
      expect(merged.tensors.get(name)?.float32(), name).toEqual(expected);
    }
    merged.close();
  }
});

test('a bias of B is merged into that of the base, and refused where there is none', async () => {
  const { model, adapter } = await opened('lora-bias', 'qwen2');
  const [base, merged, added] = [
    model.tensors.get('layers.1.k_bias')?.float32() as Float32Array,
    await mergedWeights(model, adapter, 'layers.1.k_bias'),
    adapter.modules.get('layers.1.k')?.bias as Float32Array,
  ];
  expect(merged).toEqual(base.map((value, i) => value + 2 * (added[i] as number)));
  const other = await opened('lora-bias-unmergeable', 'llama3');
  const folder = temporaryFolder();
  const wanted = 'it has a bias on layers.0.q, and that layer of the base has none';
  await expect(exportMerged(join(folder, 'merged'), { ...other, dtype: 'F32' })).rejects.toThrow(wanted);
  await expect(exportGguf(join(folder, 'gguf'), { ...other, types: ['f32'], name: 'x' })).rejects.toThrow(wanted);
  await exportLora(join(folder, 'adapter'), { ...other, ...exportOptions });
  expect(await loadLoraWeights(join(folder, 'adapter'), other.model)).toEqual(other.adapter);
});

test('an adapter that makes embedding and head differ is refused where they are one matrix', async () => {
  const { model, adapter } = await opened('modules-to-save', 'llama3');
  const folder = join(temporaryFolder(), 'adapter');
  await exportLora(folder, { model, adapter, ...exportOptions });
  const tied = { ...model, config: { ...model.config, tieWordEmbeddings: true } };
  await expect(loadLoraWeights(folder, tied)).rejects.toThrow('makes embedding and lm_head differ');
});

test.each(['modules-to-save', 'trainable-tokens', 'lora-head-embed'])(
  'one engine answers as the base and as the tuned model: %s',
  async (kind) => {
    const { model, adapter } = await opened(kind, 'llama3');
    const folder = join(temporaryFolder(), 'merged');
    await exportMerged(folder, { model, adapter, dtype: 'F32' });
    const device = cpuDevice({ threads: 2 });
    const open = async (of: OpenModel, beside: LoraWeights | null) => {
      const options = { device, weightType: 'f32', contextLength: 32, promptChunk: 8 } as const;
      const engine = await openDecodeEngine(of, { ...options, adapter: beside });
      onTestFinished(() => engine.dispose());
      return async (program: string) => {
        const ids: number[] = [];
        const how = { program, sampling: greedy, maxNewTokens: 16, stopIds: new Set<number>(), seed: 0 };
        for await (const { id } of generate(engine, Int32Array.of(5, 42, 7, 99), how)) ids.push(id);
        return ids;
      };
    };
    const merged = openModel(folder);
    const [both, tuned, base] = [
      await open(model, adapter),
      await open(merged, null),
      await open(openModel(goldenPath('llama3')), null),
    ];
    merged.close();
    expect(await both(adaptedProgram)).toEqual(await tuned(baseProgram));
    expect(await both(baseProgram)).toEqual(await base(baseProgram));
    expect(await both(adaptedProgram)).not.toEqual(await both(baseProgram));
  },
);
