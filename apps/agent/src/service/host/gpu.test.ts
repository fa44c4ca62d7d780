import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CudaReport } from '@anneal/core/device';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { gpuFindings } from './gpu.ts';
import { nvidiaHost } from './nvidiaHost.ts';

const h100 = {
  index: 0,
  name: 'NVIDIA H100 80GB HBM3',
  busId: '00000000:01:00.0',
  computeCapability: '9.0',
  memoryBytes: 85e9,
  libraryBytes: 0,
  hasCode: true,
};
const library = {
  targets: '90a-real',
  path: '/venv/nvidia/cu13/lib/libcublasLt.so.13',
  version: '13.0.2',
  problem: null,
};
const working: CudaReport = { devices: [h100], driverVersion: 13000, runtimeVersion: 13000, error: null, library };
const noCuda: CudaReport = { devices: [], driverVersion: 0, runtimeVersion: 0, error: null, library: null };
const host = { driver: '580.95.05', gpus: 1 };
const bare = { driver: undefined, gpus: 0 };
const noGpu: CudaReport = { ...working, devices: [] };

/** `state name: found → advice` of what is not the line about the build. */
function says(cuda: CudaReport, on: Parameters<typeof gpuFindings>[1]): string[] {
  const findings = gpuFindings(cuda, on).filter(({ found }) => !found.startsWith('this build has code'));
  return findings.map(({ state, name, found, advice }) => `${state} ${name}: ${found}${advice ? ` → ${advice}` : ''}`);
}

test('a GPU that can be used, with what it is and where its library is', () => {
  expect(gpuFindings(working, host)).toMatchObject([
    { name: 'CUDA', state: 'ok', found: 'this build has code for 90a-real' },
    {
      name: 'GPU',
      state: 'ok',
      found: 'NVIDIA H100 80GB HBM3, 85.0 GB, compute capability 9.0, driver 580.95.05',
    },
    { name: 'cuBLASLt', state: 'ok', found: '13.0.2, /venv/nvidia/cu13/lib/libcublasLt.so.13' },
  ]);
  // Under WSL the module's version is not told.
  expect(says(working, bare)[0]).toContain('a driver for CUDA 13');
});

test('no GPU is no fault', () => {
  expect(says({ ...noGpu, driverVersion: 0 }, bare)).toEqual(['ok GPU: no NVIDIA GPU: training runs on the CPU']);
  expect(says(noCuda, bare)).toEqual([expect.stringMatching(/^ok CUDA: this build has none.*npm run cuda-toolkit/)]);
});

test('a build without CUDA beside a GPU', () => {
  expect(says(noCuda, host)).toEqual([
    expect.stringMatching(/^warn CUDA: .*an NVIDIA GPU cannot be used → .*npm run cuda-toolkit.*CUDA_HOME/),
  ]);
});

test.each([
  [
    'no driver',
    { ...noGpu, driverVersion: 0 },
    { driver: undefined, gpus: 2 },
    /2 NVIDIA GPUs, and no NVIDIA driver → install/,
  ],
  ['an old driver', { ...noGpu, error: 'insufficient' }, { driver: '550.54.15', gpus: 1 }, /is 550.54.15.* → update/],
  [
    'an error of CUDA',
    { ...noGpu, error: 'system not yet initialized' },
    host,
    /system not yet initialized → .*nvidia-smi/,
  ],
  ['GPUs that are hidden', noGpu, host, /CUDA is shown none → unset CUDA_VISIBLE_DEVICES/],
  [
    'a GPU that is too old',
    { ...working, devices: [{ ...h100, name: 'Tesla T4', computeCapability: '7.5', hasCode: false }] },
    host,
    /Tesla T4.*too old.*8\.0.* → .*device: cpu/,
  ],
  [
    'a GPU that the build has no code for',
    { ...working, devices: [{ ...h100, name: 'NVIDIA B200', computeCapability: '10.0', hasCode: false }] },
    host,
    /no code for it → .*ANNEAL_CUDA_ARCHITECTURES=100-real/,
  ],
] as const)('%s', (_, cuda, on, expected) => {
  expect(says(cuda, on)).toEqual([expect.stringMatching(expected)]);
  expect(says(cuda, on)[0]).toMatch(/^warn GPU/);
});

test('without cuBLASLt: where it was looked for, and the remedy', () => {
  const problem = 'cuBLASLt was not found: looked in:\n  /a\n  /b\nInstall it and set ANNEAL_CUDA_LIBRARIES.';
  expect(says({ ...working, library: { ...library, problem } }, host).at(-1)).toBe(
    'warn cuBLASLt: cuBLASLt was not found: looked in: /a /b → Install it and set ANNEAL_CUDA_LIBRARIES.',
  );
});

test.each([
  'NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025',
  'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (dvs-builder@U22)',
])('what Linux says: %s', (version) => {
  const root = temporaryFolder('doctor');
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  };
  expect(nvidiaHost(root)).toEqual({ driver: undefined, gpus: 0 });
  write('proc/driver/nvidia/version', version);
  for (const [device, vendor, kind] of [
    ['a', '0x10de', '0x030200'],
    ['b', '0x10de', '0x040300'],
    ['c', '0x8086', '0x030000'],
  ] as const) {
    write(`sys/bus/pci/devices/${device}/vendor`, vendor);
    write(`sys/bus/pci/devices/${device}/class`, kind);
  }
  expect(nvidiaHost(root)).toEqual({ driver: '580.95.05', gpus: 1 });
});
