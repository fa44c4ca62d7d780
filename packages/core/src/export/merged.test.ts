import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { adapterGoldenPath, goldenModel, goldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { type ModelTensor, openModel } from '../models/open.ts';
import { exportMerged } from './merged.ts';

async function withAdapter(name: string) {
  const model = goldenModel(name);
  return { model, adapter: await loadLoraWeights(join(goldenPath(name), 'adapter'), model) };
}

/** To nearest, ties to even. No weight here is NaN. */
function bfloat16Of(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (b) => (b + 0x7fff + ((b >>> 16) & 1)) >>> 16);
}

test('every weight is W + alpha / r · B A, by plain float64 loops', async () => {
  const { model, adapter } = await withAdapter('qwen2');
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter, dtype: 'F32' });
  const merged = openModel(folder);
  for (const [name, { shape, float32 }] of model.tensors) {
    const base = float32();
    const module = adapter.modules.get(name);
    const [rows = 1, columns = 1] = shape;
    const expected = base.map((weight, at) => {
      if (!module) return weight;
      const [row, column] = [Math.floor(at / columns), at % columns];
      let sum = 0;
      for (let k = 0; k < adapter.r; k++) {
        sum += (module.B[row * adapter.r + k] ?? Number.NaN) * (module.A[k * columns + column] ?? Number.NaN);
      }
      return weight + (adapter.alpha / adapter.r) * sum;
    });
    expect(expected.length).toBe(rows * (shape.length === 1 ? 1 : columns));
    const found = merged.tensors.get(name)?.float32() ?? new Float32Array();
    const worst = expected.reduce(
      (most, weight, at) => Math.max(most, Math.abs(weight - (found[at] ?? Number.NaN))),
      0,
    );
    expect(worst, name).toBeLessThan(1e-7);
    if (module) expect(found, name).not.toEqual(base);
  }
  expect(merged.config).toEqual(model.config);
  merged.close();
});

test('bf16 in shards: each weight is rounded once, config.json names the type', async () => {
  const { model } = await withAdapter('smollm2');
  const folder = join(temporaryFolder(), 'merged');
  const steps: number[] = [];
  const { files } = await exportMerged(folder, {
    model,
    adapter: null,
    dtype: 'BF16',
    shardBytes: 20_000,
    onProgress: (done, total) => steps.push(done / total),
  });
  expect(files.map(({ path }) => path.slice(folder.length + 1)).filter((name) => name.startsWith('model'))).toEqual([
    'model-00001-of-00003.safetensors',
    'model-00002-of-00003.safetensors',
    'model-00003-of-00003.safetensors',
    'model.safetensors.index.json',
  ]);
  expect(steps).toHaveLength(20);
  expect(steps.at(-1)).toBe(1);
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  expect(config).toMatchObject({ dtype: 'bfloat16', architectures: ['LlamaForCausalLM'], rms_norm_eps: 1e-5 });
  const merged = openModel(folder);
  for (const [name, { float32 }] of model.tensors) {
    const found = merged.tensors.get(name);
    expect(found?.bytes()).toEqual(new Uint8Array(bfloat16Of(float32()).buffer));
  }
  merged.close();
});

test('tokenizer files and both configs of the base come along', async () => {
  const base = join(temporaryFolder(), 'base');
  cpSync(goldenPath('llama3'), base, { recursive: true });
  writeFileSync(join(base, 'tokenizer.json'), '{"version":"1.0"}');
  writeFileSync(join(base, 'tokenizer_config.json'), '{"chat_template":"{{ messages }}"}');
  const model = openModel(base);
  const folder = join(dirname(base), 'merged');
  await exportMerged(folder, { model, adapter: null, dtype: 'F32' });
  model.close();
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json']) {
    const [theirs, ours] = [base, folder].map((at) => readFileSync(join(at, name), 'utf8'));
    expect(JSON.parse(ours ?? ''), name).toEqual(JSON.parse(theirs ?? ''));
  }
});

test('a stopped export leaves nothing behind', async () => {
  const { model, adapter } = await withAdapter('llama3');
  const parent = temporaryFolder();
  const stop = new AbortController();
  const onProgress = (done: number): void => {
    if (done === 5) stop.abort();
  };
  const exporting = exportMerged(join(parent, 'out'), {
    model,
    adapter,
    dtype: 'F16',
    signal: stop.signal,
    onProgress,
  });
  await expect(exporting).rejects.toThrow('abort');
  expect(readdirSync(parent)).toEqual([]);
});

test.each([
  ['F16', 70_000, 'weight 77 is 70000, which F16 cannot hold'],
  ['BF16', Number.NaN, 'weight 77 is NaN, which BF16 cannot hold'],
] as const)('%s cannot hold %d', async (dtype, weight, message) => {
  const { model } = await withAdapter('llama3');
  const q = model.tensors.get('layers.1.q');
  if (!q) throw new Error('the golden model has layers.1.q');
  const changed: ModelTensor = {
    ...q,
    dtype: 'F32',
    bytes: () => new Uint8Array(changed.float32().buffer),
    float32: () => q.float32().map((w, at) => (at === 77 ? weight : w)),
  };
  const tensors = new Map([...model.tensors, ['layers.1.q', changed]]);
  const parent = temporaryFolder();
  const exporting = exportMerged(join(parent, 'out'), { model: { ...model, tensors }, adapter: null, dtype });
  await expect(exporting).rejects.toThrow(message);
  expect(readdirSync(parent)).toEqual([]);
});

test('rows of DoRA are as long as their magnitudes', async () => {
  const model = goldenModel('llama3');
  const adapter = await loadLoraWeights(join(adapterGoldenPath('dora'), 'adapter'), model);
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter, dtype: 'F32' });
  const merged = openModel(folder);
  for (const [name, { magnitude = new Float32Array() }] of adapter.modules) {
    const { shape, float32 } = merged.tensors.get(name) as ModelTensor;
    const weights = float32();
    const columns = shape[1] as number;
    for (const [row, length] of magnitude.entries()) {
      const found = Math.hypot(...weights.subarray(row * columns, (row + 1) * columns));
      expect(Math.abs(found / length - 1), name).toBeLessThan(1e-6);
    }
  }
  merged.close();
});
