import { join } from 'node:path';
import type { GgufValue } from '@anneal/formats/gguf/metadata';
import { openGguf } from '@anneal/formats/gguf/read';
import { writeGguf } from '@anneal/formats/gguf/write';
import { expect, test } from 'vitest';
import { goldenModel, temporaryFolder } from '../../../test/fixtures.ts';
import { exportGguf, ggufFileName } from '../../export/gguf.ts';

test('a file that others wrote: the block behind the last, which predicts a token more, is left out', async () => {
  const model = goldenModel('glm4-moe');
  const folder = temporaryFolder();
  await exportGguf(join(folder, 'ours'), { model, adapter: null, types: ['f32'], name: 'air' });
  const source = openGguf(join(folder, 'ours', ggufFileName('air', 'f32')));
  const metadata = new Map<string, GgufValue>([
    ...source.metadata,
    ['glm4moe.block_count', { type: 'uint32', value: 4 }],
    ['glm4moe.nextn_predict_layers', { type: 'uint32', value: 1 }],
  ]);
  const tensors = [...source.tensors.values()].map(({ name, shape }) => ({
    name,
    shape,
    type: 'F32' as const,
    bytes: () => source.bytes(name),
  }));
  const behind = tensors
    .filter(({ name }) => name === 'blk.2.attn_norm.weight')
    .map((tensor) => ({ ...tensor, name: 'blk.3.nextn.enorm.weight' }));
  await writeGguf(join(folder, 'other.gguf'), metadata, [...tensors, ...behind]);
  source.close();
  const again = goldenModel('again', join(folder, 'other.gguf'));
  expect(again.leftOut).toEqual(['mtp (1 tensor)']);
  expect(again.config).toMatchObject({ layerCount: 3, qkNorm: 'each_head', attentionBias: true });
  expect(again.config.experts).toEqual({
    ...model.config.experts,
    sigmoid: { groups: 1, chosenGroups: 1, scale: Math.fround(1.5) },
  });
});
