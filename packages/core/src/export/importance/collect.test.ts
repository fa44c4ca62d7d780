import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Imatrix, readImatrix, writeImatrix } from '@anneal/formats/gguf/imatrix';
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { adapterGoldenPath, goldenModel, temporaryFolder } from '../../../test/fixtures.ts';
import { tokenStoreOf } from '../../datasets/tokenStore.ts';
import { loadLoraWeights } from '../../models/adapters/loadLora.ts';
import type { LoraWeights } from '../../models/adapters/loraWeights.ts';
import type { ExpertsConfig } from '../../models/config.ts';
import type { ModelTensor, OpenModel } from '../../models/model.ts';
import { exportGguf, ggufFileName } from '../gguf.ts';
import { exportMerged } from '../merged.ts';
import { collectImportance } from './collect.ts';

const device = cpuDevice({ threads: 2 });
const documents = [40, 7, 90].map((length, d) => Int32Array.from({ length }, (_, i) => 5 + ((i * 7 + d) % 90)));
const store = tokenStoreOf(documents.map((ids) => ({ ids, lossMask: new Uint8Array(ids.length).fill(1), turns: [] })));
const tokens = 137;

function collect(model: OpenModel, adapter: LoraWeights | null = null, wanted = 1 << 20): Promise<Imatrix> {
  const held = { device, weightType: 'f32', quantization: 'none', adapter } as const;
  return collectImportance(model, store, { ...held, tokens: wanted, datasets: ['rows.jsonl'] });
}

/** Of one row of `width` values after another, what the norm of this weight makes of them, column by column the sum of squares. */
function squaresAfterNorm(values: Float32Array, weight: Float32Array, epsilon: number): number[] {
  const width = weight.length;
  const sums = Array<number>(width).fill(0);
  for (let row = 0; row < values.length; row += width) {
    const x = values.subarray(row, row + width);
    const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / width;
    for (let i = 0; i < width; i++) {
      sums[i] = (sums[i] as number) + ((x[i] as number) * (weight[i] as number)) ** 2 / (meanSquare + epsilon);
    }
  }
  return sums;
}

function expectNear(found: ArrayLike<number>, expected: ArrayLike<number>, relative = 1e-4): void {
  expect(found).toHaveLength(expected.length);
  const largest = Math.max(...Array.from(expected));
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs((found[i] as number) - (expected[i] as number)), `column ${i}`).toBeLessThan(relative * largest);
  }
}

test('of each column of each linear the sum of squares, by the names of GGUF', async () => {
  const model = goldenModel('llama3');
  const { entries, chunks, datasets } = await collect(model);
  expect([chunks, datasets]).toEqual([3, ['rows.jsonl']]);
  const linears = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
  const expected = Array.from({ length: model.config.layerCount }, (_, layer) =>
    linears.map((linear) => `blk.${layer}.${linear}.weight`),
  ).flat();
  expect([...entries.keys()].sort()).toEqual(expected.sort());
  for (const { counts } of entries.values()) expect([...counts]).toEqual([tokens]);
  const embedding = (model.tensors.get('embed') as ModelTensor).float32();
  const width = model.config.hiddenSize;
  const rows = documents
    .flatMap((ids) => [...ids])
    .flatMap((id) => [...embedding.subarray(id * width, (id + 1) * width)]);
  const norm = (model.tensors.get('layers.0.attention_norm') as ModelTensor).float32();
  const squares = squaresAfterNorm(Float32Array.from(rows), norm, model.config.rmsNormEps);
  expectNear(entries.get('blk.0.attn_q.weight')?.sums ?? [], squares);
});

test('with an adapter as of the merged model', async () => {
  const model = goldenModel('llama3');
  const adapter = await loadLoraWeights(join(adapterGoldenPath('patterns'), 'adapter'), model);
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter, dtype: 'F32' });
  const [beside, merged] = [await collect(model, adapter), await collect(goldenModel('merged', folder))];
  const last = 'blk.1.ffn_down.weight';
  expectNear(beside.entries.get(last)?.sums ?? [], merged.entries.get(last)?.sums ?? []);
  const plain = await collect(model);
  expect(plain.entries.get(last)?.sums).not.toEqual(beside.entries.get(last)?.sums);
});

test.each(['qwen3-moe', 'gpt-oss', 'deepseek-v3'])('%s: of each expert the tokens that reached it', async (name) => {
  const model = goldenModel(name);
  const { count, choices } = model.config.experts as ExpertsConfig;
  const { entries } = await collect(model);
  const layer = model.config.layerCount - 1;
  const router = entries.get(`blk.${layer}.ffn_gate_inp.weight`)?.sums as Float32Array;
  for (const part of ['gate', 'up']) {
    const { sums, counts } = entries.get(`blk.${layer}.ffn_${part}_exps.weight`) ?? { sums: [], counts: [] };
    expect(counts).toHaveLength(count);
    expect([...counts].reduce((sum, each) => sum + each, 0)).toBe(choices * tokens);
    // Experts read what the router reads, each token as often as it has experts.
    const all = router.map((_, column) => {
      return Array.from({ length: count }, (__, e) => sums[e * router.length + column] as number).reduce(
        (a, b) => a + b,
        0,
      );
    });
    expectNear(
      all,
      router.map((square) => choices * square),
    );
  }
  expect(entries.get(`blk.${layer}.ffn_down_exps.weight`)?.counts).toHaveLength(count);
});

test('whole documents are drawn, the same ones every time, until there are enough tokens', async () => {
  const model = goldenModel('llama3');
  const some = await collect(model, null, 1);
  const [count = 0] = some.entries.get('blk.0.attn_q.weight')?.counts ?? [];
  expect(documents.map(({ length }) => length)).toContain(count);
  expect(await collect(model, null, 1)).toEqual(some);
});

test('is the same once it was written and read, and makes other files of quantized types alone', async () => {
  const folder = temporaryFolder();
  const model = goldenModel('llama3');
  const imatrix = await collect(model);
  await writeImatrix(join(folder, 'imatrix.gguf'), imatrix);
  expect(readImatrix(join(folder, 'imatrix.gguf'))).toEqual(imatrix);
  const types = ['f16', 'q4_0'] as const;
  const how = { model, adapter: null, types, name: 'tiny' };
  const plain = await exportGguf(join(folder, 'plain'), how);
  const { warnings } = await exportGguf(join(folder, 'important'), { ...how, imatrix });
  expect(warnings).toEqual(plain.warnings);
  const [f16, q4] = types.map((type) =>
    ['plain', 'important'].map((each) => readFileSync(join(folder, each, ggufFileName('tiny', type)))),
  ) as [Buffer[], Buffer[]];
  expect(f16[0]?.equals(f16[1] as Buffer)).toBe(true);
  expect(q4[0]?.equals(q4[1] as Buffer)).toBe(false);
});

test('one of another model is refused before anything is written; one that lacks tensors says so', async () => {
  const folder = join(temporaryFolder(), 'gguf');
  const model = goldenModel('llama3');
  const imatrix = await collect(model);
  const options = { model, adapter: null, types: ['q4_0'], name: 'tiny' } as const;
  const without = (gone: RegExp) => new Map([...imatrix.entries].filter(([name]) => !gone.test(name)));
  const other = new Map(
    [...imatrix.entries].map(([name, { sums, counts }]) => [name, { sums: sums.slice(1), counts }]),
  );
  for (const entries of [without(/./), other]) {
    await expect(exportGguf(folder, { ...options, imatrix: { ...imatrix, entries } })).rejects.toMatchObject({
      code: 'imatrix_of_another_model',
    });
  }
  const { warnings } = await exportGguf(folder, { ...options, imatrix: { ...imatrix, entries: without(/ffn_up/) } });
  expect(warnings.join()).toContain(`Of ${model.config.layerCount} tensors the importance matrix says nothing`);
});
