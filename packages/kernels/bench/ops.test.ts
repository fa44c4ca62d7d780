import { expect, test } from 'vitest';
import { cpuDevice } from '../src/addon.ts';
import { benchOps } from './ops.ts';

test('each benchmarked shape gives a row', async () => {
  const device = cpuDevice({ threads: 1 });
  const rows = await benchOps({ device, only: ['rms_norm', 'cache_write'], samples: 3, sampleMilliseconds: 1 });
  expect(rows.map(({ op, dtype }) => `${op} ${dtype}`)).toEqual([
    'cache_write f32',
    'cache_write bf16',
    'rms_norm f32',
    'rms_norm f32',
  ]);
  for (const row of rows) {
    expect(row).toMatchObject({ suite: 'ops', isa: device.isa, threads: 1 });
    expect(row.shape).toMatch(/^T=512 /);
    expect(row.milliseconds).toBeGreaterThan(0);
    expect(row.spread).toBeGreaterThanOrEqual(0);
    expect(row.gigabytesPerSecond).toBeGreaterThan(0);
  }
});
