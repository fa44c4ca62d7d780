/** The models that are here: listed with what they are, compared with their hashes, removed when nobody needs them. */
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessLock } from '@anneal/core/processLock';
import { localModelSchema } from '@anneal/core/protocol/models';
import { beforeEach, expect, test, vi } from 'vitest';
import { COMMIT, startHub } from '../../../../packages/core/src/hub/testing/hubStandIn.ts';
import { goldenPath } from '../../../../packages/core/test/fixtures.ts';
import { finish } from '../../src/service/finish.ts';
import { checkModel } from '../../src/service/models/check.ts';
import { listModels } from '../../src/service/models/list.ts';
import { pullModel } from '../../src/service/models/pull.ts';
import { removeModel } from '../../src/service/models/remove.ts';
import { temporaryFolder } from '../helpers/anneal.ts';

let folder: string;
let cache: string;
beforeEach(() => {
  folder = temporaryFolder();
  cache = join(folder, 'cache');
  vi.stubEnv('ANNEAL_CACHE', cache);
  return () => vi.unstubAllEnvs();
});

const list = (paths: string[] = [], runs: string[] = []) => finish(listModels({}, { paths, runs }));

/** A pulled model. */
async function pulled(name = 'someone/Tiny'): Promise<string> {
  return (await pull(name)).path;
}

async function pull(name: string, changes: Record<string, string> = {}) {
  const path = goldenPath('llama3');
  const files = ['config.json', 'model.safetensors'].map((file) => [file, readFileSync(join(path, file))]);
  const hub = await startHub(name, { ...Object.fromEntries(files), ...changes });
  hub.answers.set(`/api/models/${name}/revision/main`, (response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ _id: '1', id: name, sha: COMMIT, tags: ['x', 'license:apache-2.0'] }));
  });
  vi.stubEnv('HF_ENDPOINT', hub.url);
  vi.stubEnv('MODELSCOPE_DOMAIN', '127.0.0.1:9');
  try {
    return await finish(pullModel({}, { model: name }));
  } finally {
    await hub.close();
  }
}

test('a pulled model and one of a folder are listed with what they are', async () => {
  const path = await pulled();
  const other = join(folder, 'other');
  cpSync(goldenPath('qwen3'), other, { recursive: true });
  writeFileSync(join(other, 'README.md'), '---\ntags: [a]\nlicense: mit\n---\n# Other\n');
  const broken = join(folder, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'config.json'), '{"model_type":"mamba"}');
  const models = await list([other, broken]);
  for (const model of models) expect(localModelSchema.parse(model)).toEqual(model);
  expect(models.find((model) => model.path === path)).toMatchObject({
    name: 'someone/Tiny',
    place: 'cache',
    isWhole: true,
    format: 'huggingface',
    architecture: 'llama',
    parameters: expect.any(Number),
    types: ['F32'],
    license: 'apache-2.0',
    source: expect.stringContaining('Hugging Face Hub'),
    commit: COMMIT,
    error: null,
  });
  expect(models.find((model) => model.path === other)).toMatchObject({ architecture: 'qwen3', license: 'mit' });
  expect(models.find((model) => model.path === broken)?.error).toMatchObject({
    what: expect.stringContaining('mamba'),
  });
});

test('what has not arrived whole is listed as such, and can be removed', async () => {
  const partial = join(cache, 'models', 'someone', 'Tiny', 'main.partial-hugging_face');
  mkdirSync(partial, { recursive: true });
  writeFileSync(join(partial, 'model.safetensors'), Buffer.alloc(100));
  expect(await list()).toMatchObject([{ name: 'someone/Tiny', isWhole: false, bytes: 100, path: partial }]);
  await expect(finish(checkModel({}, { model: 'someone/Tiny' }))).rejects.toMatchObject({ code: 'model_not_whole' });
  const lock = ProcessLock.tryAcquire(join(cache, 'models', 'someone', 'Tiny', 'main.lock'));
  expect(() => removeModel({}, { model: partial })).toThrow(/is being downloaded/);
  expect(existsSync(partial)).toBe(true);
  lock?.release();
  removeModel({}, { model: partial });
  expect(await list()).toEqual([]);
});

test('what was pulled and cannot be opened is said, and why', async () => {
  expect((await pull('someone/Tiny')).error).toBeNull();
  const { error } = await pull('someone/New', { 'config.json': '{"model_type": "new"}' });
  expect(error).toMatchObject({ code: 'model_unsupported' });
  const adapter = { 'adapter_config.json': '{}', 'adapter_model.safetensors': 'x' };
  expect((await pull('someone/Adapter', adapter)).error).toBeNull();
});

test('a byte that is another one is found', async () => {
  const path = await pulled();
  const progress: number[] = [];
  const same = await finish(checkModel({}, { model: 'someone/Tiny' }), ({ done }) => progress.push(done));
  expect(same.files.map(({ isSame }) => isSame)).toEqual([true, true]);
  expect(progress.at(-1)).toBe(same.files.reduce((sum, { bytes }) => sum + bytes, 0));
  appendFileSync(join(path, 'config.json'), ' ');
  const changed = await finish(checkModel({}, { model: path }));
  expect(changed.files.filter(({ isSame }) => !isSame)).toMatchObject([{ path: 'config.json' }]);
});

test('a model stays as long as a run began with it', async () => {
  const path = await pulled();
  const run = join(folder, 'runs', 'first');
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'recipe.resolved.yaml'), 'base_model: someone/Tiny\n');
  const damaged = join(folder, 'runs', 'damaged');
  mkdirSync(damaged);
  writeFileSync(join(damaged, 'recipe.resolved.yaml'), 'base_model: [\n');
  const runs = [run, damaged];
  expect(await list([], runs)).toMatchObject([{ path, runs: ['first'] }]);
  expect(() => removeModel({}, { model: 'someone/Tiny', runs })).toThrow(/runs need this model.*first/);
  removeModel({}, { model: 'someone/Tiny' });
  expect(await list()).toEqual([]);
  expect(readdirSync(join(cache, 'models')).filter((name) => name === 'someone')).toEqual([]);
  expect(() => removeModel({}, { model: 'someone/Tiny' })).toThrow(/not in the cache/);
  expect(() => removeModel({}, { model: '../../etc' })).toThrow(/not in the cache/);
});
