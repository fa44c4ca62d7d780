import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { defaultCacheDirectory, modelFolder } from './cache.ts';
import { modelByName } from './catalog.ts';
import { resolveModelPath } from './resolve.ts';
import { selectFiles } from './selectFiles.ts';

test('a folder and a .gguf file are taken as they are, relative to the recipe', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'm.gguf'), '');
  expect(resolveModelPath('.', { baseDirectory: folder })).toBe(folder);
  expect(resolveModelPath('m.gguf', { baseDirectory: folder })).toBe(join(folder, 'm.gguf'));
});

test('what is not here is answered with the way to get it', () => {
  const cacheDirectory = temporaryFolder();
  const resolve = (name: string, revision?: string) => () => resolveModelPath(name, { cacheDirectory, revision });
  expect(resolve('smollm2-135m')).toThrow('anneal pull smollm2-135m');
  expect(resolve('Qwen/Qwen3-4B', 'v1')).toThrow('anneal pull Qwen/Qwen3-4B --revision v1');
  expect(resolve('./no/such/folder')).toThrow('check the path');
  writeFileSync(join(cacheDirectory, 'pytorch_model.bin'), '');
  expect(resolve(join(cacheDirectory, 'pytorch_model.bin'))).toThrow('can run code');
});

test('each platform has its own cache folder, and ANNEAL_CACHE goes before it', () => {
  expect(defaultCacheDirectory({}, 'linux')).toBe(join(homedir(), '.cache', 'anneal'));
  expect(defaultCacheDirectory({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'anneal'));
  expect(defaultCacheDirectory({}, 'darwin')).toBe(join(homedir(), 'Library', 'Caches', 'anneal'));
  expect(defaultCacheDirectory({ LOCALAPPDATA: '/l' }, 'win32')).toBe(join('/l', 'anneal', 'Cache'));
  expect(defaultCacheDirectory({ ANNEAL_CACHE: '/mine', XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/mine');
});

test('no name leads out of the cache', () => {
  const part = fc.stringMatching(/^[./\\a-z~:%\0-]{0,12}$/);
  fc.assert(
    fc.property(part, part, (name, revision) => {
      const model = modelByName(name);
      if (!model) return;
      const folder = modelFolder('/cache', model.entry.id, revision || undefined, model.file);
      expect(folder).toMatch(/^\/cache\/models\/[^/]+\/[^/]+\/[^/]+$/);
      expect(folder.split('/')).not.toContain('..');
    }),
    { numRuns: 5000 },
  );
});

test('of weights that are there twice one copy is fetched; other folders and programs never', () => {
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const listed = [
    'config.json',
    'consolidated.safetensors',
    'onnx/model.json',
    '../evil.json',
    'modeling.py',
    ...shards,
  ];
  expect(selectFiles('a/b', listed)).toEqual(['config.json', ...shards]);
  expect(selectFiles('a/b', ['model.safetensors', 'x.gguf', 'tokenizer.model'])).toEqual([
    'tokenizer.model',
    'model.safetensors',
  ]);
  expect(() => selectFiles('a/b', ['x.Q8_0.gguf'], 'y.gguf')).toThrow('x.Q8_0.gguf');
});
