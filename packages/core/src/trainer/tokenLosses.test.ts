import { join } from 'node:path';
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { adapterGoldenPath, goldenModel, temporaryFolder } from '../../test/fixtures.ts';
import { tokenStoreOf } from '../datasets/tokenStore.ts';
import { exportMerged } from '../export/merged.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import type { OpenModel } from '../models/model.ts';
import { measureTokenLosses } from './tokenLosses.ts';

const device = cpuDevice({ threads: 2 });
const ids = Int32Array.from({ length: 20 }, (_, i) => 5 + ((i * 7) % 140));
const store = tokenStoreOf([{ ids, lossMask: new Uint8Array(20).fill(1), turns: [] }]);

async function lossesOf(model: OpenModel, adapter: LoraWeights | null): Promise<number[]> {
  const all: number[] = [];
  const onDocument = (_: number, losses: Float64Array): void => void all.push(...losses);
  await measureTokenLosses(model, store, [0], { device, weightType: 'f32', quantization: 'none', adapter, onDocument });
  return all;
}

test('outside a run, too, an adapter on the output layer is as if it were merged', async () => {
  const model = goldenModel('llama3');
  const adapter = await loadLoraWeights(join(adapterGoldenPath('lora-head-embed'), 'adapter'), model);
  const folder = join(temporaryFolder(), 'merged');
  await exportMerged(folder, { model, adapter, dtype: 'F32' });
  const [beside, merged] = [await lossesOf(model, adapter), await lossesOf(goldenModel('merged', folder), null)];
  expect(beside).toHaveLength(19);
  for (const [i, loss] of beside.entries()) expect(loss).toBeCloseTo(merged[i] as number, 4);
  expect(beside[0]).not.toBeCloseTo((await lossesOf(model, null))[0] as number, 2);
});
