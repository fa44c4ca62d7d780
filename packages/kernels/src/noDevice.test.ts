import { expect, test } from 'vitest';
import type { NativeCudaDevices } from './addonTypes.ts';
import { describeNoDevice } from './noDevice.ts';

const gpu = (name: string, computeCapability: string) => ({
  index: 0,
  name,
  busId: '00000000:01:00.0',
  computeCapability,
  memoryBytes: 16e9,
  libraryBytes: 0,
  hasCode: false,
});
const host: NativeCudaDevices = { devices: [], driverVersion: 13000, runtimeVersion: 13000, error: null };

test.each<[string, Partial<NativeCudaDevices>, string]>([
  [
    'a build without CUDA',
    { runtimeVersion: 0 },
    'this build has no CUDA backend: it was built where nvcc was not found',
  ],
  ['no driver', { driverVersion: 0 }, 'there is no NVIDIA driver: install 580 or newer'],
  [
    'an old driver',
    { driverVersion: 12040, error: 'CUDA driver version is insufficient for CUDA runtime version' },
    'the NVIDIA driver is too old: it is for CUDA 12.4, this build needs 13.0: install 580 or newer',
  ],
  ['a lost GPU', { error: 'unknown error' }, 'CUDA: unknown error'],
  ['no GPU', {}, 'there is no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it'],
  [
    'an old GPU',
    { devices: [gpu('Tesla T4', '7.5')] },
    'Tesla T4 is too old: its compute capability is 7.5, 8.0 is needed',
  ],
  [
    'a GPU that was not built for',
    { devices: [gpu('NVIDIA L4', '8.9')] },
    'NVIDIA L4 has compute capability 8.9, for which this build has no code: build with ANNEAL_CUDA_ARCHITECTURES=89-real',
  ],
])('%s', (_, found, reason) => {
  expect(describeNoDevice({ ...host, ...found })).toBe(reason);
});
