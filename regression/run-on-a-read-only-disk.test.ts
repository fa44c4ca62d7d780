/** A run on a read-only disk "could not be read", and was to be restored from a copy or removed. */
import { closeSync, constants, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openRunFile } from '../packages/core/src/trainer/runFiles.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

let code: string | undefined;

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>();
  const openSync = (...given: Parameters<typeof original.openSync>) => {
    const isWritten = (Number(given[1]) & (original.constants.O_WRONLY | original.constants.O_RDWR)) !== 0;
    if (code !== undefined && isWritten) throw Object.assign(new Error(code), { code });
    return original.openSync(...given);
  };
  return { ...original, default: { ...original, openSync }, openSync };
});

test.each([
  ['EROFS', 'run_not_writable', 'the run cannot be written: the disk is read-only'],
  ['EACCES', 'run_not_writable', 'the run cannot be written'],
  ['ENOSPC', 'disk_full', 'the disk is full'],
  ['EIO', 'run_not_readable', 'EIO'],
])('%s', (system, told, what) => {
  const path = join(temporaryFolder(), 'run.log');
  writeFileSync(path, '');
  code = system;
  const open = () => openRunFile(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
  expect(open).toThrow(expect.objectContaining({ code: told, what: expect.stringContaining(what), where: path }));
  closeSync(openRunFile(path));
  code = undefined;
});
