import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { writeAtomically } from '../src/files/atomicWrite.ts';
import { temporaryFolder } from './helpers.ts';

/** What the next file handles fail at, and with which code. */
let failure: { method: 'write' | 'sync'; code: string } | undefined;

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>();
  const open = async (...parameters: Parameters<typeof original.open>): Promise<FileHandle> => {
    const handle = await original.open(...parameters);
    if (failure) vi.spyOn(handle, failure.method).mockRejectedValue(Object.assign(new Error(), { code: failure.code }));
    return handle;
  };
  return { ...original, open };
});

const folder = temporaryFolder();
afterEach(() => {
  failure = undefined;
});

describe('a file written atomically', () => {
  it.each([
    ['write', 'ENOSPC', 'disk_full'],
    ['write', 'EDQUOT', 'disk_full'],
    ['sync', 'ENOSPC', 'disk_full'],
    ['write', 'EIO', 'file_not_writable'],
  ] as const)('leaves the old one when %s fails with %s', async (method, code, expected) => {
    const own = join(folder, `${method} ${code}`);
    const path = join(own, 'file');
    mkdirSync(own);
    writeFileSync(path, 'old');
    failure = { method, code };
    const writing = writeAtomically(path, (file) => file.write(Buffer.from('new')));
    await expect(writing).rejects.toMatchObject({ name: 'UserError', code: expected, where: path });
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(own)).toEqual(['file']);
  });

  it('replaces the old one when nothing fails, in a folder made for it', async () => {
    const path = join(folder, 'new', 'folder', 'file');
    await writeAtomically(path, (file) => file.write(Buffer.from('first')));
    await writeAtomically(path, async (file) => {
      await file.write(Buffer.from('sec'));
      expect(readFileSync(path, 'utf8')).toBe('first');
      expect(file.position).toBe(3);
      await file.write(Buffer.from('ond'));
    });
    expect(readFileSync(path, 'utf8')).toBe('second');
    expect(readdirSync(join(folder, 'new', 'folder'))).toEqual(['file']);
  });
});
