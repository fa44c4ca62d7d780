import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GgufValue } from '@anneal/formats/gguf/metadata';
import { openGguf } from '@anneal/formats/gguf/read';
import { writeGguf } from '@anneal/formats/gguf/write';
import type { JsonObject } from '@anneal/formats/json';
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { goldenModel, goldenPath, temporaryFolder } from '../../../test/fixtures.ts';
import { tensorsOf, withChanged } from '../../../test/tamper.ts';
import { tokenStoreOf } from '../../datasets/tokenStore.ts';
import { exportGguf, ggufFileName } from '../../export/gguf.ts';
import { collectImportance } from '../../export/importance/collect.ts';
import { exportMerged } from '../../export/merged.ts';
import { loadLoraWeights } from '../adapters/loadLora.ts';
import type { LoraWeights } from '../adapters/loraWeights.ts';
import { readConfig } from '../index.ts';
import type { OpenModel } from '../model.ts';
import { openModel } from '../open.ts';
import { ggufPart } from './gguf.ts';

const name = 'qwen3.5';

async function exported(model: OpenModel, adapter: LoraWeights | null, type: 'f32' | 'q8_0'): Promise<string> {
  const folder = join(temporaryFolder(), 'gguf');
  await exportGguf(folder, { model, adapter, types: [type], name });
  return join(folder, ggufFileName(name, type));
}

/** The largest difference of any weight. */
function difference(found: OpenModel, wanted: OpenModel): number {
  return Math.max(
    ...[...wanted.tensors].map(([tensor, { float32 }]) => {
      const values = found.tensors.get(tensor)?.float32() ?? new Float32Array();
      return Math.max(...float32().map((weight, i) => Math.abs(weight - (values[i] ?? NaN))));
    }),
  );
}

/** The golden checkpoint with the epsilon that llama.cpp knows. */
function published(golden: string): OpenModel {
  const folder = join(temporaryFolder(), golden);
  cpSync(goldenPath(golden), folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...configOf(golden), rms_norm_eps: 1e-6 }));
  return goldenModel(golden, folder);
}

function configOf(golden: string): JsonObject {
  return JSON.parse(readFileSync(join(goldenPath(golden), 'config.json'), 'utf8'));
}

/** Values of four heads in the order of a file. */
const heads = (values: Float32Array) => [0, 2, 1, 3].map((head) => values.subarray(head * 256).subarray(0, 256));

/** Without the gates of head 1, which multiply all that it gives. */
const withoutHead = (bytes: Buffer, path: string) => {
  const place = tensorsOf(path).find((tensor) => tensor.name === 'model.layers.0.linear_attn.in_proj_z.weight');
  bytes.fill(0, (place?.start ?? NaN) + 4 * 256, (place?.start ?? NaN) + 8 * 256); // head 1
};

const refusalOf = (changes: object): string | null =>
  ggufPart.refusal(readConfig({ ...configOf(name), rms_norm_eps: 1e-6, ...changes }, null, name));

test('value heads 0 1 of the first key head and 2 3 of the second are 0 2 1 3 in a file', async () => {
  const model = published(name);
  const source = openGguf(await exported(model, null, 'f32'));
  const inFile = (tensor: string) => source.float32(`blk.0.${tensor}`);
  const ours = (tensor: string) => model.tensors.get(`layers.0.${tensor}`)?.float32() ?? new Float32Array();
  expect([...inFile('attn_gate.weight')]).toEqual(heads(ours('delta_z')).flatMap((head) => [...head]));
  const qkv = ours('delta_qkv');
  expect([...inFile('attn_qkv.weight')]).toEqual([
    ...qkv.subarray(0, 1024), // queries and keys
    ...heads(qkv.subarray(1024)).flatMap((head) => [...head]),
  ]);
  const [shift, decay, row] = [ours('delta_shift'), ours('delta_decay'), ours('delta_out').subarray(0, 32)];
  expect([...inFile('ssm_dt.bias')]).toEqual([0, 2, 1, 3].map((head) => shift[head]));
  expect([...inFile('ssm_a')]).toEqual([0, 2, 1, 3].map((head) => Math.fround(-Math.exp(decay[head] ?? NaN))));
  expect([...inFile('ssm_out.weight').subarray(0, 32)]).toEqual(
    [0, 2, 1, 3].flatMap((head) => [...row.subarray(head * 8, head * 8 + 8)]),
  );
  expect(source.tensors.get('blk.0.ssm_conv1d.weight')?.shape).toEqual([64, 4]);
  source.close();
});

test('an adapter is merged in the order of the file; quantized weights are read in ours', async () => {
  const model = published(name);
  const adapter = await loadLoraWeights(join(goldenPath(name), 'adapter'), model);
  expect(adapter.modules.has('layers.0.delta_out')).toBe(true);
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter, dtype: 'F32' });
  const merged = goldenModel('merged', folder);
  expect(difference(goldenModel('f32', await exported(model, adapter, 'f32')), merged)).toBeLessThan(2 ** -22);
  const quantized = goldenModel('q8_0', await exported(model, adapter, 'q8_0'));
  expect(difference(quantized, merged)).toBeLessThan(0.01);
  const all = quantized.tensors.get('layers.0.delta_out')?.float32();
  expect(quantized.tensors.get('layers.0.delta_out')?.float32({ first: 3, count: 2 })).toEqual(all?.subarray(96, 160));
});

test('a file that others wrote: a layer behind the last, which predicts a token more, is left out', async () => {
  const model = published('qwen3.5-moe');
  const source = openGguf(await exported(model, null, 'f32'));
  const metadata = new Map<string, GgufValue>([
    ...[...source.metadata].filter(([key]) => key !== 'qwen35moe.feed_forward_length'),
    ['qwen35moe.block_count', { type: 'uint32', value: 3 }],
    ['qwen35moe.nextn_predict_layers', { type: 'uint32', value: 1 }],
  ]);
  const path = join(temporaryFolder(), 'other.gguf');
  const tensors = [...source.tensors.values()].map(({ name: tensor, shape }) => ({
    name: tensor,
    shape,
    type: 'F32' as const,
    bytes: () => source.bytes(tensor),
  }));
  const behind = tensors.filter((tensor) => tensor.name === 'blk.1.attn_norm.weight');
  await writeGguf(path, metadata, [
    ...tensors,
    ...behind.map((tensor) => ({ ...tensor, name: 'blk.2.nextn.enorm.weight' })),
  ]);
  source.close();
  const again = goldenModel('again', path);
  expect(again.leftOut).toEqual(['mtp (1 tensor)']);
  expect(again.config).toMatchObject({ layerCount: 2, intermediateSize: 20, mixers: model.config.mixers });
  expect(difference(again, model)).toBeLessThan(2 ** -22);
});

test('importance of columns is in the order of the file: of a value head that is always 0 it is 0', async () => {
  const [copy, file] = [join(temporaryFolder(), name), 'model.safetensors'];
  const imatrix = await withChanged(
    goldenPath(name),
    copy,
    file,
    (bytes) => withoutHead(bytes, join(copy, file)),
    (path) => {
      const model = openModel(path);
      const store = tokenStoreOf([
        { ids: Int32Array.from({ length: 30 }, (_, i) => 5 + i), lossMask: new Uint8Array(30).fill(1), turns: [] },
      ]);
      return collectImportance(model, store, {
        ...({ device: cpuDevice({ threads: 1 }), weightType: 'f32', quantization: 'none', adapter: null } as const),
        tokens: 30,
        datasets: [],
      }).finally(() => model.close());
    },
  );
  const { sums, counts } = imatrix.entries.get('blk.0.ssm_out.weight') ?? { sums: new Float32Array(), counts: [] };
  expect([...counts]).toEqual([30]);
  expect(Array.from(sums, (sum) => sum > 0)).toEqual(Array.from({ length: 32 }, (_, column) => column >> 3 !== 2));
  const { warnings } = await exportGguf(join(temporaryFolder(), 'gguf'), {
    model: published(name),
    adapter: null,
    types: ['q4_0'],
    name,
    imatrix,
  });
  expect(warnings.join()).not.toContain('importance');
});

test('models that llama.cpp would compute otherwise are not written', () => {
  expect(refusalOf({})).toBeNull();
  expect(refusalOf({ rms_norm_eps: 1e-5 })).toContain('rms_norm_eps');
  expect(refusalOf({ linear_value_head_dim: 16 })).toContain('linear_value_head_dim');
  const [linear, full] = ['linear_attention', 'full_attention'];
  expect(refusalOf({ layer_types: [linear, full, linear, linear] })).toContain('layer_types');
});
