import { closeSync, openSync, readSync } from 'node:fs';
import { expect, test } from 'vitest';
import { deviceFault } from './deviceFault.ts';

test.each([
  ['CUDA: allocating pinned memory: out of memory (cudaErrorMemoryAllocation)', 'out_of_memory', 'nvidia-smi'],
  ['CUDA: waiting for the device: unknown error (cudaErrorUnknown)', 'gpu_lost', 'Xid'],
  ['rms_norm: uncorrectable ECC error encountered (cudaErrorECCUncorrectable)', 'gpu_lost', 'reset the GPU'],
  ['attention_backward: an illegal memory access was encountered (cudaErrorIllegalAddress)', 'gpu_failed', 'report it'],
])('%s', (message, code, advice) => {
  const fault = deviceFault(new Error(message), '/runs/one');
  expect(fault).toMatchObject({ code, where: '/runs/one', what: expect.stringContaining(message) });
  expect(fault?.next).toContain(advice);
  expect(fault?.next).toContain('goes on from its last checkpoint');
});

test('without a run there is nothing to resume', () => {
  const fault = deviceFault(new Error('rope: unspecified launch failure (cudaErrorLaunchFailure)'));
  expect(fault).toMatchObject({
    code: 'gpu_failed',
    where: undefined,
    next: expect.stringContaining('start it again'),
  });
});

test('other errors are not the GPU’s', () => {
  expect(deviceFault(new Error('embedding: a token id lies outside the vocabulary'), '/runs/one')).toBeNull();
  expect(deviceFault('cudaErrorUnknown', '/runs/one')).toBeNull();
});

const failed = (code: string, more: object) => Object.assign(new Error(`${code}: copyfile 'a' -> 'b'`), { code }, more);

test('a full disk and what is not allowed are no defects', () => {
  expect(deviceFault(failed('ENOSPC', { path: 'a', dest: 'b' }))).toMatchObject({ code: 'disk_full', where: 'b' });
  expect(deviceFault(failed('EROFS', { path: 'a' }))).toMatchObject({ code: 'file_not_permitted', where: 'a' });
  expect(deviceFault(failed('EPERM', { syscall: 'kill' }))).toBeNull();
});

test('a drive that fails is told, with what to look at', () => {
  const file = openSync('/proc/self/mem', 'r');
  let error: unknown;
  try {
    readSync(file, Buffer.alloc(8), 0, 8, 0);
  } catch (thrown) {
    error = thrown;
  } finally {
    closeSync(file);
  }
  const fault = deviceFault(error);
  expect(fault?.code).toBe('storage_failed');
  expect(fault?.what).toContain('EIO');
  expect(fault?.next).toContain('dmesg');
  expect(deviceFault(Object.assign(new Error('no such file'), { code: 'ENOENT' }))).toBeNull();
});
