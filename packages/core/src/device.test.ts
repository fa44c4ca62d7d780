import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuDevice, type Device } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { goldenPath } from '../test/fixtures.ts';
import { refuseAdaptedHead, refuseWhereKernelsAreMissing } from './device.ts';
import { readConfig } from './models/index.ts';

const configOf = (name: string) =>
  readConfig(JSON.parse(readFileSync(join(goldenPath(name), 'config.json'), 'utf8')), null, name);

const on = (name: string) => ({ modules: new Map([[name, { rank: 1, scale: 1 }]]) });

test('layers of a state space are refused on a GPU, with the way out; others are not', () => {
  const gpu = { ...cpuDevice(), kind: 'cuda' } as unknown as Device;
  expect(() => refuseWhereKernelsAreMissing(configOf('granite4-h'), gpu)).toThrow(
    expect.objectContaining({ code: 'device_without_kernels', next: expect.stringContaining('device: cpu') }),
  );
  refuseWhereKernelsAreMissing(configOf('granite4-h'), cpuDevice());
  refuseWhereKernelsAreMissing(configOf('granite4'), gpu);
});

test('so are losses with an adapter on lm_head; one on the embedding is not', () => {
  const gpu = { ...cpuDevice(), kind: 'cuda' } as unknown as Device;
  expect(() => refuseAdaptedHead(on('lm_head'), gpu)).toThrow(
    expect.objectContaining({ code: 'device_without_kernels', next: expect.stringContaining('device: cpu') }),
  );
  refuseAdaptedHead(on('lm_head'), cpuDevice());
  refuseAdaptedHead(on('embed'), gpu);
});
