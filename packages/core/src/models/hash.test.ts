import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { modelHash } from './hash.ts';

let folder: string;
let paths: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'anneal-hash-'));
  paths = ['config.json', 'model.safetensors'].map((name) => join(folder, name));
  for (const path of paths) writeFileSync(path, `content of ${path.slice(folder.length)}`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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

test('a file of known size and time is not read again; a changed time is', async () => {
  const cache = join(folder, 'hashes.json');
  const before = await modelHash(paths, cache);
  const time = new Date(1_700_000_000_000);
  utimesSync(weights(), time, time);
  await modelHash(paths, cache);
  writeFileSync(weights(), readFileSync(weights(), 'utf8').toUpperCase());
  utimesSync(weights(), time, time);
  expect(await modelHash(paths, cache)).toEqual(before);
  utimesSync(weights(), time, new Date(time.getTime() + 1000));
  expect((await modelHash(paths, cache)).sha256).not.toBe(before.sha256);
});

test('a damaged cache is replaced', async () => {
  const cache = join(folder, 'hashes.json');
  writeFileSync(cache, '{"truncated');
  expect(await modelHash(paths, cache)).toEqual(await modelHash(paths));
  expect(Object.keys(JSON.parse(readFileSync(cache, 'utf8')))).toHaveLength(2);
});
