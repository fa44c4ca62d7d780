import { expect, test } from 'vitest';
import { cpuDevice } from '../device.ts';
import { timeOps } from './timeOps.ts';

test('each benchmarked shape gives a timing', async () => {
  const device = cpuDevice({ threads: 1 });
  const timings = await timeOps({ device, only: ['rms_norm', 'cache_write'], samples: 3, sampleMilliseconds: 1 });
  expect(timings.map(({ op, dtype }) => `${op} ${dtype}`)).toEqual([
    'cache_write f32',
    'cache_write bf16',
    'rms_norm f32',
    'rms_norm f32',
  ]);
  for (const timing of timings) {
    expect(timing.shape).toMatch(/^T=512 /);
    expect(timing.milliseconds).toBeGreaterThan(0);
    expect(timing.spread).toBeGreaterThanOrEqual(0);
    expect(timing.gigabytesPerSecond).toBeGreaterThan(0);
  }
});
