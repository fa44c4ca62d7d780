import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openMxfp4 } from '@anneal/formats/mxfp4/source';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { type TensorToWrite, writeSafetensors } from '@anneal/formats/safetensors/write';
import { elementCount } from '@anneal/formats/tensor';
import { expect, onTestFinished, test } from 'vitest';
import { goldenModel, goldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { exportGguf, ggufFileName } from '../export/gguf.ts';
import { exportMerged } from '../export/merged.ts';
import { random } from '../random.ts';
import { gptOss } from './gptOss/architecture.ts';
import { readConfig } from './index.ts';
import type { ModelTensor, OpenModel } from './model.ts';
import { openModel } from './open.ts';
import { wholeTensor } from './stored.ts';
import { expectedTensors } from './tensors.ts';

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

test.each([name, 'gpt-oss'])('a merged export of %s has the tensors of the published layout', async (golden) => {
  const model = goldenModel(golden);
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter: null, dtype: 'F32' });
  expect(shapesIn(folder)).toEqual(shapesIn(goldenPath(golden)));
  expectSameWeights(goldenModel(golden, folder), model);
});

test('gpt-oss: outputs of experts are columns of the file, gate and up in turn', async () => {
  const [experts, hidden, inner] = [4, 32, 48];
  const model = goldenModel('gpt-oss');
  const source = openSafetensors(join(goldenPath('gpt-oss'), 'model.safetensors'));
  const read = (part: string) => source.float32(`model.layers.1.mlp.experts.${part}`);
  const [gateUp, gateUpBias, down, downBias] = ['gate_up_proj', 'gate_up_proj_bias', 'down_proj', 'down_proj_bias'].map(
    read,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  source.close();
  const ours = Object.fromEntries(
    ['gate_up', 'gate_up_bias', 'down', 'down_bias'].map((part) => [
      part,
      model.tensors.get(`layers.1.experts_${part}`)?.float32() as Float32Array,
    ]),
  ) as Record<'gate_up' | 'gate_up_bias' | 'down' | 'down_bias', Float32Array>;
  for (let e = 0; e < experts; e++) {
    for (let row = 0; row < 2 * inner; row++) {
      const column = row < inner ? 2 * row : 2 * (row - inner) + 1;
      const at = e * 2 * inner + row;
      expect(ours.gate_up_bias[at]).toBe(gateUpBias[e * 2 * inner + column]);
      for (let i = 0; i < hidden; i++)
        expect(ours.gate_up[at * hidden + i]).toBe(gateUp[(e * hidden + i) * 2 * inner + column]);
    }
    for (let row = 0; row < hidden; row++)
      for (let i = 0; i < inner; i++)
        expect(ours.down[(e * hidden + row) * inner + i]).toBe(down[(e * inner + i) * hidden + row]);
  }
  expect(ours.down_bias).toEqual(downBias);
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

function numbers(count: number, of: () => number): number[] {
  return Array.from({ length: count }, of);
}

test('gpt-oss as published, its experts in MXFP4, whose rows are outputs, is the model that it decodes to', async () => {
  const [experts, hidden, inner] = [4, 32, 64];
  const folder = join(temporaryFolder(), 'mxfp4');
  const config = JSON.parse(readFileSync(join(goldenPath('gpt-oss'), 'config.json'), 'utf8'));
  const changed = { ...config, intermediate_size: inner, quantization_config: { quant_method: 'mxfp4' } };
  const read = readConfig(changed, null, 'config.json');
  const { below } = random('mxfp4');
  const tensors: TensorToWrite[] = [...expectedTensors(read)].flatMap(([ours, shape]): TensorToWrite[] => {
    const stored = wholeTensor(gptOss.names, read, { name: ours, shape }, 'huggingFace');
    if (!/experts_(gate_up|down)$/.test(ours)) {
      const values = Float32Array.from(numbers(elementCount(shape), () => below(1000) / 1000 - 0.5));
      return [{ name: stored.name, dtype: 'F32', shape: stored.shape, bytes: () => new Uint8Array(values.buffer) }];
    }
    const [rows = 0, columns = 0] = shape;
    const blocks = [experts, rows / experts, columns / 32];
    const codes = Uint8Array.from(numbers((rows * columns) / 2, () => below(256)));
    const scales = Uint8Array.from(numbers((rows * columns) / 32, () => 115 + below(6)));
    return [
      { name: `${stored.name}_blocks`, dtype: 'U8', shape: [...blocks, 16], bytes: () => codes },
      { name: `${stored.name}_scales`, dtype: 'U8', shape: blocks, bytes: () => scales },
    ];
  });
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(changed));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);

  const model = goldenModel('gpt-oss', folder);
  const decoded = openMxfp4(openSafetensors(join(folder, 'model.safetensors')));
  onTestFinished(() => decoded.close());
  const [rowsInFile, ours] = [
    decoded.float32('model.layers.1.mlp.experts.gate_up_proj'),
    model.tensors.get('layers.1.experts_gate_up')?.float32() as Float32Array,
  ];
  for (let row = 0; row < experts * 2 * inner; row++) {
    const [expert, inExpert] = [Math.floor(row / (2 * inner)), row % (2 * inner)];
    const stored = inExpert < inner ? 2 * inExpert : 2 * (inExpert - inner) + 1;
    const at = (expert * 2 * inner + stored) * hidden;
    expect(ours.subarray(row * hidden, (row + 1) * hidden)).toEqual(rowsInFile.subarray(at, at + hidden));
  }
  expect(model.tensors.get('layers.1.experts_down')?.float32()).toEqual(
    decoded.float32('model.layers.1.mlp.experts.down_proj'),
  );

  const merged = join(temporaryFolder(), 'merged');
  await exportMerged(merged, { model, adapter: null, dtype: 'BF16' });
  const again = goldenModel('gpt-oss', merged);
  expect(again.configJson).not.toHaveProperty('quantization_config');
  for (const tensor of ['layers.0.experts_gate_up', 'layers.1.experts_down'])
    expect(again.tensors.get(tensor)?.float32()).toEqual(model.tensors.get(tensor)?.float32());
});

test('a GGUF file of gpt-oss has biases, routers and sinks in float32 whatever its type, as llama.cpp adds them', async () => {
  const model = goldenModel('gpt-oss');
  const folder = join(temporaryFolder(), 'gguf');
  await exportGguf(folder, { model, adapter: null, types: ['f16'], name: 'tiny' });
  const read = openModel(join(folder, ggufFileName('tiny', 'f16')));
  onTestFinished(() => read.close());
  for (const [tensor, { dtype, float32 }] of read.tensors) {
    const isMatrix = !/norm|bias|sinks|router/.test(tensor);
    expect(dtype, tensor).toBe(isMatrix ? 'F16' : 'F32');
    if (!isMatrix) expect(float32(), tensor).toEqual(model.tensors.get(tensor)?.float32());
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
