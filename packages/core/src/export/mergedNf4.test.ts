import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { absmaxMap } from '@anneal/formats/bitsandbytes/nf4';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { quantizeNf4 } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { goldenModel, goldenPath, nf4GoldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { mergedWeights } from '../models/adapters/merge.ts';
import type { ModelTensor, OpenModel } from '../models/model.ts';
import { exportMerged } from './merged.ts';
import { MERGED_FORMS } from './mergedForms.ts';

function configOf(folder: string) {
  return JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
}

test.each(['nf4', 'nf4_single'] as const)('%s: codes of the merged weights, all else in bfloat16', async (type) => {
  const model = goldenModel('llama3');
  const adapter = await loadLoraWeights(join(goldenPath('llama3'), 'adapter'), model);
  const folder = join(temporaryFolder(), 'merged');
  const steps: number[] = [];
  const onProgress = (done: number, total: number) => steps.push(done / total);
  await exportMerged(folder, { model, adapter, ...MERGED_FORMS[type], shardBytes: 30_000, onProgress });
  expect(steps.at(-1)).toBe(1);
  const { weight_map: files } = JSON.parse(readFileSync(join(folder, 'model.safetensors.index.json'), 'utf8'));
  for (const [name, file] of Object.entries(files)) {
    const matrix = name.replace(/(?<=\.weight)\..*/, '');
    expect([name, file]).toEqual([name, files[matrix]]);
  }
  const merged = goldenModel(type, folder);
  const isDouble = type === 'nf4';
  for (const [name, { shape, nf4, dtype }] of merged.tensors) {
    const isLinear = shape.length === 2 && name.startsWith('layers.');
    expect([name, dtype]).toEqual([name, isLinear ? 'NF4' : 'BF16']);
    if (!isLinear) continue;
    const weights = await mergedWeights(model, adapter, name);
    const expected = await quantizeNf4(new Uint8Array(weights.buffer), 'f32', isDouble ? absmaxMap() : null);
    expect(nf4?.read(), name).toEqual(expected);
  }
  expect(configOf(folder).quantization_config).toMatchObject({
    quant_method: 'bitsandbytes',
    bnb_4bit_use_double_quant: isDouble,
    llm_int8_skip_modules: ['model.embed_tokens', 'lm_head'],
  });
});

test('the tensors are those that bitsandbytes saves', async () => {
  const saved = nf4GoldenPath('llama3-bnb-4bit');
  const model = goldenModel('saved', saved);
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter: null, ...MERGED_FORMS.nf4, dtype: 'F32' });
  const [theirs, ours] = [openSafetensors(saved), openSafetensors(folder)];
  expect([...ours.tensors.keys()].toSorted()).toEqual([...theirs.tensors.keys()].toSorted());
  for (const [name, { dtype, shape }] of theirs.tensors) {
    const isState = name.includes('quant_state');
    const state = (source: typeof ours) => JSON.parse(Buffer.from(source.bytes(name)).toString());
    if (isState) expect({ ...state(ours), nested_offset: 0 }).toEqual({ ...state(theirs), nested_offset: 0 });
    else expect(ours.tensors.get(name)).toMatchObject({ dtype, shape });
  }
  theirs.close();
  ours.close();
});

/** With one weight a block so large that the others are rounded to nothing. */
function spoilt(model: OpenModel, name: string): OpenModel {
  const tensor = model.tensors.get(name) as ModelTensor;
  const float32 = () => tensor.float32().map((weight, i) => (i % 64 === 7 ? 40 : weight));
  const changed = { ...tensor, dtype: 'F32' as const, float32, bytes: () => new Uint8Array(float32().buffer) };
  return { ...model, tensors: new Map([...model.tensors, [name, changed]]) };
}

/** With weights of one size, which NF4 holds exactly. */
function flat(tensor: ModelTensor): ModelTensor {
  const float32 = () => tensor.float32().map((weight) => Math.sign(weight));
  return { ...tensor, dtype: 'F32', float32, bytes: () => new Uint8Array(float32().buffer) };
}

/** What is in 16 bits of the linears of the blocks, and what transformers is told to leave so. */
async function leftInDynamic(model: OpenModel) {
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter: null, ...MERGED_FORMS.nf4_dynamic });
  const merged = goldenModel('dynamic', folder);
  const linears = [...merged.tensors.values()].filter(({ name, shape }) => shape.length === 2 && name !== 'embed');
  return {
    in16: linears.filter(({ dtype }) => dtype === 'BF16').map(({ name }) => name),
    skipped: configOf(folder).quantization_config.llm_int8_skip_modules,
  };
}

test('nf4_dynamic leaves those linears in 16 bits that lose most', async () => {
  const golden = goldenModel('llama3');
  const tensors = new Map([...golden.tensors].map(([name, t]) => [name, name.startsWith('layers.') ? flat(t) : t]));
  const exact = { ...golden, tensors };
  const { in16, skipped } = await leftInDynamic(spoilt(exact, 'layers.1.o'));
  expect(in16).toContain('layers.1.o');
  expect(skipped).toContain('model.layers.1.self_attn.o_proj');
  expect((await leftInDynamic(spoilt(exact, 'layers.0.q'))).in16).not.toContain('layers.1.o');
});

test('a stopped export leaves nothing behind', async () => {
  const model = goldenModel('llama3');
  const parent = temporaryFolder();
  const stop = new AbortController();
  const onProgress = (done: number): void => {
    if (done === 3) stop.abort();
  };
  const asked = { model, adapter: null, ...MERGED_FORMS.nf4_dynamic, onProgress, signal: stop.signal };
  await expect(exportMerged(join(parent, 'out'), asked)).rejects.toThrow('abort');
  expect(readdirSync(parent)).toEqual([]);
});

test('a mixture of experts is refused before anything is written', async () => {
  const parent = temporaryFolder();
  const asked = { model: goldenModel('qwen3-moe'), adapter: null, ...MERGED_FORMS.nf4 };
  await expect(exportMerged(join(parent, 'out'), asked)).rejects.toMatchObject({ code: 'export_unsupported' });
  expect(readdirSync(parent)).toEqual([]);
});
