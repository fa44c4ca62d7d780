import { cpuDevice, type Device } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { goldenModel } from '../test/fixtures.ts';
import { planDecoding } from './generate/decodeEngine.ts';

test.each(['granite4-h', 'lfm2', 'qwen3.5'])('layers that carry a state, as in %s, have kernels on a GPU', (name) => {
  const device = { ...cpuDevice(), kind: 'cuda' } as unknown as Device;
  const plan = planDecoding(goldenModel(name), { device, weightType: 'f32', contextLength: 64, promptChunk: 16 });
  expect(plan.programs.length).toBeGreaterThan(0);
});
