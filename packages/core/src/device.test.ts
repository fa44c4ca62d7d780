import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuDevice, type Device } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { goldenPath } from '../test/fixtures.ts';
import { refuseWhereKernelsAreMissing } from './device.ts';
import { readConfig } from './models/index.ts';

const configOf = (name: string) =>
  readConfig(JSON.parse(readFileSync(join(goldenPath(name), 'config.json'), 'utf8')), null, name);

test('layers of a state space are refused on a GPU, with the way out; others are not', () => {
  const gpu = { ...cpuDevice(), kind: 'cuda' } as unknown as Device;
  expect(() => refuseWhereKernelsAreMissing(configOf('granite4-h'), gpu)).toThrow(
    expect.objectContaining({ code: 'device_without_kernels', next: expect.stringContaining('device: cpu') }),
  );
  refuseWhereKernelsAreMissing(configOf('granite4-h'), cpuDevice());
  refuseWhereKernelsAreMissing(configOf('granite4'), gpu);
});
