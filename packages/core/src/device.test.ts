import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuDevice, type Device } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { goldenPath } from '../test/fixtures.ts';
import { refuseWhereKernelsAreMissing } from './device.ts';
import { readConfig } from './models/index.ts';

const configOf = (name: string) =>
  readConfig(JSON.parse(readFileSync(join(goldenPath(name), 'config.json'), 'utf8')), null, name);

test.each(['lfm2', 'gpt-oss', 'qwen3.5'])(
  '%s, which has layers of another kind, is refused on a GPU, with the way out',
  (name) => {
    const gpu = { ...cpuDevice(), kind: 'cuda' } as unknown as Device;
    expect(() => refuseWhereKernelsAreMissing(configOf(name), gpu)).toThrow(
      expect.objectContaining({ code: 'device_without_kernels', next: expect.stringContaining('device: cpu') }),
    );
    refuseWhereKernelsAreMissing(configOf(name), cpuDevice());
    refuseWhereKernelsAreMissing(configOf('qwen3-moe'), gpu);
  },
);
