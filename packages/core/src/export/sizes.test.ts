import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goldenModel, goldenModels, goldenPath, temporaryFolder, writeTinyModel } from '../../test/fixtures.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { openModel } from '../models/open.ts';
import { exportGguf, ggufFileBytes, ggufFileName } from './gguf.ts';
import { GGUF_TYPES } from './ggufTypes.ts';
import { exportLora, loraBytes } from './lora.ts';
import { exportMerged, mergedBytes } from './merged.ts';
import { MERGED_FORMS } from './mergedForms.ts';

const sum = (files: readonly { bytes: number }[]): number => files.reduce((total, { bytes }) => total + bytes, 0);

test.each([...goldenModels.filter((name) => name !== 'qwen3-yarn'), 'lfm2' as const])(
  'the size of each form of %s is known before',
  async (name) => {
    const folder = temporaryFolder();
    const model = openModel(writeTinyModel(folder, name));
    const adapter = await loadLoraWeights(join(goldenPath(name), 'adapter'), model);

    const lora = { model, adapter, dropout: 0.1, baseModel: 'org/base' };
    expect(loraBytes(lora)).toBe(sum((await exportLora(join(folder, 'lora'), lora)).files));

    for (const dtype of ['F32', 'BF16'] as const) {
      for (const shardBytes of [20_000, 5e9]) {
        const merged = { model, adapter, dtype, shardBytes };
        const { files } = await exportMerged(join(folder, `merged-${dtype}-${shardBytes}`), merged);
        expect(mergedBytes(merged)).toBe(sum(files));
      }
    }

    for (const type of ['nf4', 'nf4_single', 'nf4_dynamic'] as const) {
      const merged = { model, adapter, ...MERGED_FORMS[type], shardBytes: 20_000 };
      const bytes = sum((await exportMerged(join(folder, `merged-${type}`), merged)).files);
      if (type === 'nf4_dynamic') expect(mergedBytes(merged)).toBeGreaterThanOrEqual(bytes);
      else expect(mergedBytes(merged)).toBe(bytes);
    }

    // llama.cpp knows no tokenizer like the tiny one, so these are without.
    const bare = goldenModel(name);
    const gguf = { model: bare, adapter, types: GGUF_TYPES, name: 'Tiny Model' };
    const { files } = await exportGguf(join(folder, 'gguf'), gguf);
    const bytes = Object.fromEntries(files.map((file) => [file.path, file.bytes]));
    const predicted = ggufFileBytes(gguf);
    for (const type of GGUF_TYPES) {
      expect([type, predicted.get(type)]).toEqual([
        type,
        bytes[join(folder, 'gguf', ggufFileName('Tiny Model', type))],
      ]);
    }
    model.close();
  },
);
