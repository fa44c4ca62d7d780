import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { writeSafetensors } from '@anneal/formats/safetensors/write';
import { expect, onTestFinished, test } from 'vitest';
import { goldenModel, goldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { exportGguf, ggufFileName } from '../export/gguf.ts';
import { exportMerged } from '../export/merged.ts';
import type { ModelTensor, OpenModel } from './model.ts';
import { openModel } from './open.ts';
import { wholeTensor } from './stored.ts';

const name = 'qwen3-moe';

/** A copy of the golden model with these tensors, by the names of the file. */
async function copyWith(change: (tensors: Map<string, { shape: readonly number[]; bytes: Uint8Array }>) => void) {
  const folder = join(temporaryFolder(), name);
  cpSync(goldenPath(name), folder, { recursive: true });
  const file = join(folder, 'model.safetensors');
  const source = openSafetensors(file);
  const tensors = new Map(
    [...source.tensors.values()].map((info) => [info.name, { shape: info.shape, bytes: source.bytes(info.name) }]),
  );
  source.close();
  change(tensors);
  rmSync(file);
  await writeSafetensors(
    file,
    [...tensors].map(([tensor, { shape, bytes }]) => ({
      name: tensor,
      dtype: 'F32' as const,
      shape,
      bytes: () => bytes,
    })),
  );
  return folder;
}

/** Of the tensors of a folder, by their names there. */
function shapesIn(folder: string): Map<string, readonly number[]> {
  const source = openSafetensors(join(folder, 'model.safetensors'));
  source.close();
  return new Map([...source.tensors].map(([tensor, { shape }]) => [tensor, shape] as const).toSorted());
}

function expectSameWeights(found: OpenModel, wanted: OpenModel): void {
  expect([...found.tensors.keys()]).toEqual([...wanted.tensors.keys()]);
  for (const [tensor, { float32 }] of wanted.tensors) {
    expect(found.tensors.get(tensor)?.float32(), tensor).toEqual(float32());
  }
}

test('experts of one tensor each lie one behind the other, gate before up', () => {
  const model = goldenModel(name);
  const source = openSafetensors(join(goldenPath(name), 'model.safetensors'));
  const stored = (part: string) => source.float32(`model.layers.1.mlp.experts.3.${part}_proj.weight`);
  const gateUp = model.tensors.get('layers.1.experts_gate_up');
  expect(gateUp?.shape).toEqual([8 * 2 * 48, 32]);
  expect(gateUp?.float32({ first: 3 * 96, count: 48 })).toEqual(stored('gate'));
  expect(gateUp?.float32({ first: 3 * 96 + 48, count: 48 })).toEqual(stored('up'));
  // Rows that begin in one part and end in another.
  const across = gateUp?.float32({ first: 3 * 96 + 40, count: 16 });
  expect(across?.subarray(0, 8 * 32)).toEqual(stored('gate').subarray(40 * 32));
  expect(across?.subarray(8 * 32)).toEqual(stored('up').subarray(0, 8 * 32));
  expect(model.tensors.get('layers.1.experts_down')?.float32({ first: 3 * 32, count: 32 })).toEqual(stored('down'));
  source.close();
});

test('experts in one tensor, as transformers 5 keeps them, are the same model', async () => {
  const model = goldenModel(name);
  const folder = await copyWith((tensors) => {
    for (const tensor of tensors.keys()) if (tensor.includes('.experts.')) tensors.delete(tensor);
    for (const tensor of model.tensors.values()) {
      if (!tensor.name.includes('experts')) continue;
      const { name: whole, shape } = wholeTensor(model.architecture.names, model.config, tensor, 'huggingFace');
      expect(shape.length).toBe(3);
      tensors.set(whole, { shape, bytes: tensor.bytes() });
    }
  });
  expectSameWeights(goldenModel(name, folder), model);
});

test('a merged export has the tensors of the published layout', async () => {
  const model = goldenModel(name);
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter: null, dtype: 'F32' });
  expect(shapesIn(folder)).toEqual(shapesIn(goldenPath(name)));
  expectSameWeights(goldenModel(name, folder), model);
});

test('GGUF holds gate and up apart, quantized where rows are whole blocks; any rows are read as they lie', async () => {
  const model = goldenModel(name);
  const folder = join(temporaryFolder(), 'gguf');
  await exportGguf(folder, { model, adapter: null, types: ['q8_0'], name: 'tiny' });
  const read = openModel(join(folder, ggufFileName('tiny', 'q8_0')));
  onTestFinished(() => read.close());
  const [found, wanted] = [read, model].map(({ tensors }) => tensors.get('layers.1.experts_gate_up') as ModelTensor);
  expect([found?.dtype, read.tensors.get('layers.1.router')?.dtype]).toEqual(['Q8_0', 'F32']);
  const all = found?.float32() as Float32Array;
  const largest = Math.max(...all.map(Math.abs));
  const exact = wanted?.float32() as Float32Array;
  const errors = all.map((weight, i) => Math.abs(weight - (exact[i] as number)));
  expect(Math.max(...errors)).toBeLessThan(largest / 127);
  // Of one expert, from its gate into its up, and from it into the next one's gate.
  for (const rows of [
    { first: 5, count: 1 },
    { first: 40, count: 16 },
    { first: 90, count: 60 },
  ]) {
    const columns = 32;
    expect(found?.float32(rows)).toEqual(all.subarray(rows.first * columns, (rows.first + rows.count) * columns));
  }
});

test.each([
  ['missing', (tensors: Map<string, unknown>, part: string) => void tensors.delete(part), 'is missing'],
  [
    'of another shape',
    (tensors: Map<string, unknown>, part: string) => void tensors.set(part, { shape: [2], bytes: new Uint8Array(8) }),
    'has shape [2], but the config asks for [48,32]',
  ],
])('an expert that is %s is named', async (_, change, message) => {
  const part = 'model.layers.1.mlp.experts.5.up_proj.weight';
  const folder = await copyWith((tensors) => change(tensors, part));
  expect(() => goldenModel(name, folder)).toThrow(`the tensor ${part} ${message}`);
});

test('another number of experts than in config.json is refused', () => {
  const folder = join(temporaryFolder(), name);
  cpSync(goldenPath(name), folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, num_local_experts: 7 }));
  expect(() => goldenModel(name, folder)).toThrow('mlp.gate.weight has shape [8,32], but the config asks for [7,32]');
});
