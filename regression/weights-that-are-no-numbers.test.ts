/**
 * One weight that is infinite or no number made every result so, and nobody said which: NaN in a safetensors file, the scale of a
 * quantized block, and in a GGUF file of Granite 4 a decay that is not below 0, of which there is no logarithm. Adapters, and
 * scales of matrices that a file holds in NF4, were not looked at.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportGguf } from '../packages/core/src/export/gguf.ts';
import { exportMerged } from '../packages/core/src/export/merged.ts';
import { MERGED_FORMS } from '../packages/core/src/export/mergedForms.ts';
import { loadLoraWeights } from '../packages/core/src/models/adapters/loadLora.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { openDecoder } from '../packages/core/test/decoder.ts';
import { goldenModel, goldenPath, temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { tinyRecipe, trainHere } from '../packages/core/test/runs.ts';
import { openGguf } from '../packages/formats/src/gguf/read.ts';
import { openSafetensors } from '../packages/formats/src/safetensors/read.ts';

function patch(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}

async function ggufOf(name: string, type: 'f32' | 'q8_0'): Promise<string> {
  const model = openModel(goldenPath(name));
  const { files } = await exportGguf(join(temporaryFolder(), 'gguf'), {
    model,
    adapter: null,
    types: [type],
    name: 'tiny',
  });
  model.close();
  return files[0]?.path as string;
}

function placeOf(path: string, tensor: string): number {
  const file = openGguf(path);
  const { position } = file.place(tensor);
  file.close();
  return position;
}

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  '%d in a safetensors file: training names tensor and element',
  async (value) => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe(folder, { base_model: writeTinyModel(folder), max_steps: 1 });
    const path = join(recipe.base_model, 'model.safetensors');
    const source = openSafetensors(path);
    const { position } = source.place('model.layers.1.mlp.up_proj.weight');
    source.close();
    patch(path, (bytes) => bytes.writeFloatLE(value, position + 4 * 35));
    await expect(trainHere(recipe)).rejects.toMatchObject({
      code: 'weight_not_finite',
      what: 'layers.1.up cannot be used: its element 35 is not a finite number',
    });
  },
);

test('the scale of a quantized block that is infinite', async () => {
  const path = await ggufOf('llama3', 'q8_0');
  const at = placeOf(path, 'blk.1.ffn_up.weight');
  patch(path, (bytes) => bytes.writeUInt16LE(0x7c00, at + 34 * 2));
  await expect(openDecoder(path, { contextLength: 16, chunk: 4 })).rejects.toMatchObject({
    code: 'weight_not_finite',
    what: expect.stringMatching(
      /^layers\.1\.up cannot be used: its element (6[4-9]|[78]\d|9[0-5]) is not a finite number/,
    ),
  });
});

test.each([0, 0.5, Number.NaN])('a decay of %d in a GGUF file of Granite 4', async (value) => {
  const path = await ggufOf('granite4-h', 'f32');
  const at = placeOf(path, 'blk.0.ssm_a');
  patch(path, (bytes) => bytes.writeFloatLE(value, at + 8));
  await expect(openDecoder(path, { contextLength: 16, chunk: 4 })).rejects.toMatchObject({
    code: 'weight_not_finite',
    what: `blk.0.ssm_a cannot be used: its element 2 is ${value}, and must be below 0`,
  });
});

test.each([Number.NaN, Number.NEGATIVE_INFINITY])('%d in an adapter', async (value) => {
  const folder = join(temporaryFolder(), 'adapter');
  cpSync(join(goldenPath('llama3'), 'adapter'), folder, { recursive: true });
  const path = join(folder, 'adapter_model.safetensors');
  const source = openSafetensors(path);
  const tensor = [...source.tensors.keys()].find((name) => name.endsWith('layers.1.self_attn.v_proj.lora_B.weight'));
  const { position } = source.place(tensor as string);
  source.close();
  patch(path, (bytes) => bytes.writeFloatLE(value, position + 4 * 5));
  await expect(loadLoraWeights(folder, goldenModel('llama3'))).rejects.toMatchObject({
    code: 'weight_not_finite',
    what: 'the adapter cannot be used: element 5 of B of layers.1.v is not a finite number',
    where: folder,
  });
});

test.each([
  ['nf4', 'nested_absmax'],
  ['nf4_single', 'absmax'],
] as const)('a scale of a matrix in %s that is no number', async (form, part) => {
  const folder = join(temporaryFolder(), 'model');
  await exportMerged(folder, { model: goldenModel('llama3'), adapter: null, ...MERGED_FORMS[form] });
  const path = join(folder, 'model.safetensors');
  const source = openSafetensors(path);
  const { position } = source.place(`model.layers.0.mlp.up_proj.weight.${part}`);
  source.close();
  patch(path, (bytes) => bytes.writeFloatLE(Number.NaN, position));
  const tensor = openModel(folder).tensors.get('layers.0.up');
  expect(() => tensor?.nf4?.read()).toThrow('the scale of block 0 is not a finite number');
  expect(() => tensor?.float32()).toThrow('the scale of block 0 is not a finite number');
});
