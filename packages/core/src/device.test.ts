import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuDevice, type Device } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { goldenPath } from '../test/fixtures.ts';
import { refuseWhereKernelsAreMissing } from './device.ts';
import { readConfig } from './models/index.ts';

const configOf = (name: string) =>
  readConfig(JSON.parse(readFileSync(join(goldenPath(name), 'config.json'), 'utf8')), null, name);

test.each(['qwen3.5', 'qwen3.5-moe', 'deepseek-v3', 'gemma4', 'gemma4-moe'])(
  '%s, whose layers have no kernels there, is refused on a GPU, with the way out',
  (name) => {
    const gpu = { ...cpuDevice(), kind: 'cuda' } as unknown as Device;
    expect(() => refuseWhereKernelsAreMissing(configOf(name), gpu)).toThrow(
      expect.objectContaining({ code: 'device_without_kernels', next: expect.stringContaining('device: cpu') }),
    );
    refuseWhereKernelsAreMissing(configOf(name), cpuDevice());
    for (const served of ['qwen3-moe', 'gpt-oss', 'lfm2']) refuseWhereKernelsAreMissing(configOf(served), gpu);
  },
);
