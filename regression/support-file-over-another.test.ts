/** `doctor --bundle` looked for a file of that name and then renamed its own to it: what came in between, or was a link to nothing, was replaced. */
import { readdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { createFile } from '../packages/formats/src/files/atomicWrite.ts';

test.skipIf(process.platform === 'win32')('a file is made under its name, or what has this name stays', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'b.json');
  const options = { sync: false, mode: 0o600 };
  expect(createFile(path, 'first', options)).toBe(true);
  expect(createFile(path, 'second', options)).toBe(false);
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['first', 0o600]);
  symlinkSync('nothing', join(folder, 'link.json'));
  const { code, stderr } = await annealIn(folder)('doctor', '--bundle', 'link.json');
  expect(code).not.toBe(0);
  expect(stderr).toContain('nothing is overwritten');
  expect(readlinkSync(join(folder, 'link.json'))).toBe('nothing');
  expect(readdirSync(folder).sort()).toEqual(['b.json', 'link.json']);
});

test('a folder that is not there is said', () => {
  const path = join(temporaryFolder(), 'none', 'b.json');
  expect(() => createFile(path, '', { sync: true })).toThrow('cannot be written (ENOENT)');
});
