/**
 * One weight that is infinite or no number made every result so, and nobody said which: NaN in a safetensors file, the scale of a
 * quantized block, and in a GGUF file of Granite 4 a decay that is not below 0, of which there is no logarithm.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportGguf } from '../packages/core/src/export/gguf.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { openDecoder } from '../packages/core/test/decoder.ts';
import { goldenPath, temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
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
