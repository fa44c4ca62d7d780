import { existsSync } from 'node:fs';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { UserError } from '../errors.ts';
import { readChatTemplates } from '../templates/chatTemplates.ts';
import { type PullProgress, pullModel } from './pull.ts';
import { resolveModelPath } from './resolve.ts';
import { COMMIT, type HubStandIn, sha256, startHub } from './testing/hubStandIn.ts';

const ID = 'someone/Some-Model';
const NOWHERE = 'http://127.0.0.1:9';
const weights = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const modelFiles = {
  'config.json': '{"model_type":"llama"}',
  'tokenizer.json': '{"version":"1.0"}',
  'chat_template.jinja': '{{ messages }}',
  'model.safetensors': weights,
  'pytorch_model.bin': 'pickled',
  'README.md': '# hello',
  'train.py': 'print(1)',
};

let cacheDirectory: string;
const hubs: HubStandIn[] = [];

beforeEach(async () => {
  cacheDirectory = temporaryFolder('hub');
  vi.stubEnv('HF_TOKEN', undefined);
  vi.stubEnv('HF_HUB_OFFLINE', undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(hubs.splice(0).map(({ close }) => close()));
});

async function hub(files: Record<string, Uint8Array | string> = modelFiles, options?: { gated: boolean }) {
  const started = await startHub(ID, files, options);
  hubs.push(started);
  return started;
}

function pull(hubUrl: string, more: Partial<Parameters<typeof pullModel>[1]> = {}, name = ID) {
  return pullModel(name, { cacheDirectory, hubUrl, modelScopeUrl: NOWHERE, ...more });
}

async function userErrorOf(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => expect.unreachable('it should have failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

test('a pull brings safetensors, configuration, tokenizer and template, and nothing that can run', async () => {
  const { url, transfers } = await hub();
  const progress: PullProgress[] = [];
  const folder = await pull(url, { onProgress: (event) => progress.push(event) });
  expect((await readdir(folder)).sort()).toEqual([
    'chat_template.jinja',
    'config.json',
    'model.safetensors',
    'provenance.json',
    'tokenizer.json',
  ]);
  expect(await readFile(join(folder, 'model.safetensors'))).toEqual(weights);
  const provenance = JSON.parse(await readFile(join(folder, 'provenance.json'), 'utf8'));
  expect(provenance).toMatchObject({ id: ID, revision: COMMIT });
  expect(provenance.files).toContainEqual({ path: 'model.safetensors', sha256: sha256(weights) });
  const last = progress.at(-1);
  expect(last?.receivedBytes).toBe(last?.totalBytes);
  expect(await pull(url)).toBe(folder);
  expect(transfers).toHaveLength(4);
  expect(resolveModelPath(ID, { cacheDirectory })).toBe(folder);
});

const namedTemplates = {
  'additional_chat_templates/tool_use.jinja': '{{ tools }}',
  'additional_chat_templates/rag.jinja': '{{ documents }}',
};

test.each(['hugging_face', 'modelscope'])('named chat templates come along from %s, and are read', async (kind) => {
  const { url, files } = await hub({
    ...modelFiles,
    ...namedTemplates,
    'additional_chat_templates/run.py': 'print(1)',
    'onnx/model.safetensors': 'x',
  });
  const folder = await (kind === 'hugging_face' ? pull(url) : pull(NOWHERE, { modelScopeUrl: url }));
  expect(readChatTemplates(folder)).toEqual({
    default: '{{ messages }}',
    named: { tool_use: '{{ tools }}', rag: '{{ documents }}' },
  });
  expect(await readdir(join(folder, 'additional_chat_templates'))).toHaveLength(2);
  expect(await readdir(folder)).not.toContain('onnx');
  files.clear();
  expect(await pull(url)).toBe(folder);
});

test('a named template that the repository no longer has does not stay from an earlier try', async () => {
  const { url, files, announcedSha256 } = await hub({ ...modelFiles, ...namedTemplates });
  announcedSha256.set('model.safetensors', 'f'.repeat(64));
  await userErrorOf(pull(url));
  announcedSha256.clear();
  files.delete('additional_chat_templates/rag.jinja');
  expect(readChatTemplates(await pull(url))?.named).toEqual({ tool_use: '{{ tools }}' });
});

test('a broken connection is resumed where it broke', async () => {
  const { url, transfers, breakAfter, collectedIn } = await hub();
  breakAfter.set('model.safetensors', [100_000, 50_000]);
  const partial = join(cacheDirectory, 'models', ID, 'main.partial-hugging_face', 'model.safetensors.part');
  collectedIn.set('model.safetensors', partial);
  const folder = await pull(url);
  expect(await readFile(join(folder, 'model.safetensors'))).toEqual(weights);
  const ranges = transfers.filter(({ path }) => path === 'model.safetensors').map(({ range }) => range);
  expect(ranges).toEqual([undefined, 'bytes=100000-', 'bytes=150000-']);
});

test('a pull that was stopped goes on in the next one; a file that changed meanwhile starts over', async () => {
  const { url, transfers, breakAfter, collectedIn, files } = await hub();
  const partial = join(cacheDirectory, 'models', ID, 'main.partial-hugging_face', 'model.safetensors.part');
  const stop = async () => {
    breakAfter.set('model.safetensors', [100_000]);
    collectedIn.set('model.safetensors', partial);
    const controller = new AbortController();
    const onProgress = (event: PullProgress) => {
      if (event.file === 'model.safetensors') controller.abort(new Error('stopped by the test'));
    };
    await expect(pull(url, { signal: controller.signal, onProgress })).rejects.toThrow('stopped by the test');
    breakAfter.clear();
  };
  await stop();
  const have = (await readFile(partial)).length;
  expect(have).toBeGreaterThan(0);
  const changed = Buffer.from(weights.map((byte) => byte ^ 1));
  files.set('model.safetensors', changed);
  const folder = await pull(url);
  expect(await readFile(join(folder, 'model.safetensors'))).toEqual(changed);
  expect(transfers.filter(({ path }) => path === 'model.safetensors').map(({ range }) => range)).toEqual([
    undefined,
    `bytes=${have}-`,
  ]);
  expect(transfers.filter(({ path }) => path === 'config.json')).toHaveLength(1);
  expect(await readdir(join(cacheDirectory, 'models', 'someone', 'Some-Model'))).toEqual(['main']);
});

test('a damaged part is found by its checksum and fetched afresh', async () => {
  const { url, breakAfter } = await hub();
  breakAfter.set('model.safetensors', [100_000, 0, 0, 0, 0, 0]);
  await userErrorOf(pull(url));
  const part = join(cacheDirectory, 'models', ID, 'main.partial-hugging_face', 'model.safetensors.part');
  await truncate(part, 90_000);
  await writeFile(part, Buffer.alloc(10_000), { flag: 'a' });
  breakAfter.clear();
  expect(await readFile(join(await pull(url), 'model.safetensors'))).toEqual(weights);
});

test('a wrong checksum is refused, and nothing of it stays', async () => {
  const { url, announcedSha256 } = await hub();
  announcedSha256.set('model.safetensors', 'f'.repeat(64));
  const error = await userErrorOf(pull(url));
  expect(error.what).toContain(`model.safetensors is damaged: its SHA-256 is ${sha256(weights)}`);
  expect(error.code).toBe('model_not_fetched');
  expect(existsSync(join(cacheDirectory, 'models', ID, 'main'))).toBe(false);
  const partial = await readdir(join(cacheDirectory, 'models', ID, 'main.partial-hugging_face'));
  expect(partial.filter((name) => name.startsWith('model'))).toEqual([]);
});

test('ModelScope is asked when the hub does not have the model', async () => {
  const modelScope = await hub();
  const empty = await startHub('nobody/nothing', {});
  hubs.push(empty);
  const events: PullProgress[] = [];
  const folder = await pull(empty.url, { modelScopeUrl: modelScope.url, onProgress: (event) => events.push(event) });
  expect(await readFile(join(folder, 'model.safetensors'))).toEqual(weights);
  expect(events.find(({ phase }) => phase === 'failed')?.reason).toBe('HTTP 404, not found');
});

test('without a network the message names every source, its reason and what to do', async () => {
  const { what, next } = await userErrorOf(pull(NOWHERE));
  expect(what).toContain(`${ID} could not be fetched. Tried:`);
  expect(what).toMatch(/- Hugging Face Hub \(127\.0\.0\.1:9\): /);
  expect(what).toMatch(/- ModelScope \(127\.0\.0\.1:9\): /);
  expect(next).toContain('HF_ENDPOINT');
});

test('offline asks nobody', async () => {
  const { url, transfers } = await hub();
  const { code, next } = await userErrorOf(pull(url, { offline: true }));
  expect(code).toBe('model_not_in_cache');
  expect(next).toContain('ModelScope');
  const folder = await pull(url);
  const asked = transfers.length;
  expect(await pull(url, { offline: true })).toBe(folder);
  expect(transfers).toHaveLength(asked);
});

test('the token goes to the hub and into no message', async () => {
  const { url, transfers } = await hub(modelFiles, { gated: true });
  expect((await userErrorOf(pull(url))).what).toContain('set HF_TOKEN');
  vi.stubEnv('HF_TOKEN', 'hf_secretsecret');
  await pull(url);
  expect(transfers.every(({ authorization }) => authorization === 'Bearer hf_secretsecret')).toBe(true);
  const failed = await userErrorOf(pull(url, {}, 'someone/else'));
  expect(`${failed.stack}${JSON.stringify(failed)}`).not.toContain('secretsecret');
});

test.each([
  ['only pickled weights', { 'pytorch_model.bin': 'x' }, 'pickled_weights', 'can run code'],
  ['no weights', { 'config.json': '{}' }, 'model_without_weights', 'no .safetensors'],
  ['several GGUF files', { 'a.Q4_0.gguf': 'x', 'a.Q8_0.gguf': 'y' }, 'several_gguf_files', '2 GGUF files'],
])('a repository with %s is refused', async (_, files, code, words) => {
  const { url } = await hub(files);
  const error = await userErrorOf(pull(url));
  expect(error.code).toBe(code);
  expect(error.what).toContain(words);
});

test('one GGUF file of a repository is opened by its own path', async () => {
  const { url } = await hub({ 'a.Q4_0.gguf': 'four', 'a.Q8_0.gguf': 'eight' });
  const path = await pull(url, {}, `${ID}/a.Q8_0.gguf`);
  expect(await readFile(path, 'utf8')).toBe('eight');
  expect(resolveModelPath(`${ID}/a.Q8_0.gguf`, { cacheDirectory })).toBe(path);
});

test('two pulls of one model at once fetch it once', async () => {
  const { url, transfers } = await hub();
  const [first, second] = await Promise.all([pull(url), pull(url)]);
  expect(first).toBe(second);
  expect(transfers).toHaveLength(4);
});

test('a name that is no model name is refused before anything is asked', async () => {
  for (const name of ['../../etc', 'nonsense', 'a/b/c', 'a/..', '/tmp/x']) {
    expect((await userErrorOf(pull(NOWHERE, {}, name))).code).toBe('unknown_model_name');
  }
});

test('a disk without room is found before the download', async () => {
  const { url, transfers, files } = await hub();
  const huge = Buffer.from('x');
  Object.defineProperty(huge, 'length', { value: Number.MAX_SAFE_INTEGER });
  files.set('model.safetensors', huge);
  const error = await userErrorOf(pull(url));
  expect(error.code).toBe('disk_full');
  expect(error.what).toMatch(/9007 TB .* GB/);
  expect(transfers).toEqual([]);
});
