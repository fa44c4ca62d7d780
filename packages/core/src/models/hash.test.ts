import { createHash } from 'node:crypto';
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { modelHash } from './hash.ts';

let folder: string;
let paths: string[];
beforeEach(() => {
  folder = temporaryFolder('hash');
  paths = ['config.json', 'model.safetensors'].map((name) => join(folder, name));
  for (const path of paths) writeFileSync(path, `content of ${path.slice(folder.length)}`);
});

const [config, weights] = [() => paths[0] ?? '', () => paths[1] ?? ''];

test('each file has its sha256; the order of the paths does not matter', async () => {
  const hash = await modelHash(paths);
  const expected = createHash('sha256').update(readFileSync(config())).digest('hex');
  expect(hash.files[0]).toEqual({ name: 'config.json', size: readFileSync(config()).length, sha256: expected });
  expect(await modelHash(paths.toReversed())).toEqual(hash);
});

test('one byte, or one name, makes another model', async () => {
  const hash = await modelHash(paths);
  writeFileSync(weights(), `${readFileSync(weights(), 'utf8')}!`);
  expect((await modelHash(paths)).sha256).not.toBe(hash.sha256);
  const renamed = join(folder, 'other.json');
  writeFileSync(renamed, readFileSync(config()));
  expect((await modelHash([renamed])).sha256).not.toBe((await modelHash([config()])).sha256);
});

test('a file of known size and times is not read again; a changed one is, also where its time was set back', async () => {
  const cache = join(folder, 'hashes.json');
  const before = await modelHash(paths, cache);
  const known = JSON.parse(readFileSync(cache, 'utf8')) as Record<string, string>;
  const lie = Object.fromEntries(Object.keys(known).map((key) => [key, 'a'.repeat(64)]));
  writeFileSync(cache, JSON.stringify(lie));
  expect((await modelHash(paths, cache)).files.map(({ sha256 }) => sha256)).toEqual(['a'.repeat(64), 'a'.repeat(64)]);
  writeFileSync(cache, JSON.stringify(known));
  const { atime, mtime } = statSync(weights());
  writeFileSync(weights(), readFileSync(weights(), 'utf8').toUpperCase());
  utimesSync(weights(), atime, mtime);
  expect((await modelHash(paths, cache)).sha256).not.toBe(before.sha256);
});

test('a cache that cannot be written changes no hash and is told', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const { cacheError, ...hash } = await modelHash(paths, join(file, 'hashes.json'));
  expect(hash).toEqual(await modelHash(paths));
  expect(cacheError).toMatchObject({ code: 'folder_not_writable' });
});

test('a damaged cache is replaced', async () => {
  const cache = join(folder, 'hashes.json');
  writeFileSync(cache, '{"truncated');
  expect(await modelHash(paths, cache)).toEqual(await modelHash(paths));
  expect(Object.keys(JSON.parse(readFileSync(cache, 'utf8')))).toHaveLength(2);
});
