/**
 * An adapter that PEFT saved with `save_embedding_layers`, as it does by itself once the vocabulary was resized, has embedding and head three
 * times. It was refused as one with unknown tensors; of a vocabulary nothing was said.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { writeSafetensors } from '@anneal/formats/safetensors/write';
import { expect, test } from 'vitest';
import { loadLoraWeights } from '../packages/core/src/models/adapters/loadLora.ts';
import { adapterGoldenPath, goldenModel, temporaryFolder } from '../packages/core/test/fixtures.ts';

/** @param more rows of the vocabulary */
async function savedWithEmbeddings(more: number): Promise<string> {
  const folder = join(temporaryFolder('adapter'), 'adapter');
  cpSync(join(adapterGoldenPath('modules-to-save'), 'adapter'), folder, { recursive: true });
  const source = openSafetensors(join(folder, 'adapter_model.safetensors'));
  const tensors = [...source.tensors.values()].flatMap((tensor) => {
    const { name, dtype, shape } = tensor;
    if (!/(?:embed_tokens|lm_head)\.weight$/.test(name))
      return [{ name, dtype, shape, bytes: () => source.bytes(name) }];
    const [rows = 0, columns = 0] = shape;
    const bytes = Buffer.concat([source.bytes(name), Buffer.alloc(4 * more * columns)]);
    return ['', 'modules_to_save.', 'original_module.'].map((inside) => {
      const as = name.replace(/weight$/, `${inside}weight`);
      return { name: as, dtype, shape: [rows + more, columns], bytes: () => bytes };
    });
  });
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors);
  source.close();
  return folder;
}

test('the layers that are trained are read once', async () => {
  const model = goldenModel('llama3');
  const golden = await loadLoraWeights(join(adapterGoldenPath('modules-to-save'), 'adapter'), model);
  expect((await loadLoraWeights(await savedWithEmbeddings(0), model)).full).toEqual(golden.full);
});

test('of a resized vocabulary the sizes are said', async () => {
  const adapter = await savedWithEmbeddings(4);
  await expect(loadLoraWeights(adapter, goldenModel('llama3'))).rejects.toMatchObject({
    what: expect.stringContaining('is [160,32], where the adapter has [164,32]'),
    next: expect.stringContaining('its vocabulary was resized'),
  });
});
