import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { makeFolder } from '../src/files/makeFolder.ts';
import { temporaryFolder, userError } from './helpers.ts';

/** What making a folder of this name fails with. */
const refused = new Map<string, string>();

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>();
  const mockedMkdir = (path: string) => {
    const code = refused.get(path);
    if (code) throw Object.assign(new Error(code), { code });
    return original.mkdirSync(path);
  };
  return { ...original, mkdirSync: mockedMkdir };
});

const folder = temporaryFolder();

describe('a folder', () => {
  it('is made with those above it, and left alone where it is there', () => {
    const path = join(folder, 'a', 'b', 'c');
    makeFolder(path);
    makeFolder(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  it('may be a link to one', () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    makeFolder(join(folder, 'link'));
    makeFolder(join(folder, 'link', 'inside'));
    expect(statSync(join(folder, 'real', 'inside')).isDirectory()).toBe(true);
  });

  it.each([
    ['a file', 'has this name', 'file', 'file'],
    ['below a file', 'stands above', 'file', join('file', 'x', 'y')],
    ['a link to nothing', 'has this name', 'nowhere', 'nowhere'],
    ['below a link to nothing', 'has this name', 'nowhere', join('nowhere', 'x')],
  ])('is refused where it is %s', (_what, reason, name, path) => {
    const own = join(folder, path.replaceAll(/\W/g, '-'));
    mkdirSync(own);
    if (name === 'file') writeFileSync(join(own, name), '');
    else symlinkSync('nothing', join(own, name));
    const error = userError(() => makeFolder(join(own, path), 'choose another'));
    expect(error).toMatchObject({ code: 'folder_not_writable', where: join(own, path), next: 'choose another' });
    expect(error.what).toContain(reason);
  });

  it.each([
    ['ENOSPC', 'disk_full'],
    ['EDQUOT', 'disk_full'],
    ['EACCES', 'folder_not_writable'],
  ])('says of %s that it is %s', (code, expected) => {
    const path = join(folder, code);
    refused.set(path, code);
    expect(userError(() => makeFolder(join(path, 'x'))).code).toBe(expected);
  });
});
