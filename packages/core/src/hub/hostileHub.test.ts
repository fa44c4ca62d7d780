/** Servers that mean harm: no name of theirs leaves the cache, no token leaves the configured host, no answer is without end. */

import { readdir, readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setInterval } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { UserError } from '../errors.ts';
import { modelFolder } from './cache.ts';
import { pullModel } from './pull.ts';
import { COMMIT, type HubStandIn, sha256, startHub } from './testing/hubStandIn.ts';

const ID = 'someone/Some-Model';
const TOKEN = 'hf_secretsecret';
const NOWHERE = 'http://127.0.0.1:9';
const patience = { answerMilliseconds: 20_000, stallMilliseconds: 300, listingMilliseconds: 60_000 };
const weights = Buffer.alloc(300_000, 7);
const modelFiles = { 'config.json': '{}', 'tokenizer.json': '{}', 'model.safetensors': weights };

let root: string;
let hub: HubStandIn;
let elsewhere: HubStandIn;

beforeEach(async () => {
  root = temporaryFolder('hostile');
  vi.stubEnv('HF_TOKEN', TOKEN);
  vi.stubEnv('HF_HUB_OFFLINE', undefined);
  hub = await startHub(ID, modelFiles);
  elsewhere = await startHub(ID, modelFiles);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all([hub.close(), elsewhere.close()]);
});

const pull = (more: Parameters<typeof pullModel>[1] = {}): Promise<string> =>
  pullModel(ID, { cacheDirectory: join(root, 'cache'), hubUrl: hub.url, modelScopeUrl: NOWHERE, patience, ...more });

/** The hub's reason. Nothing lies outside the cache, nor in the place of the model; no other host saw the token. */
async function refusal(more?: Parameters<typeof pullModel>[1]): Promise<string> {
  const error = await pull(more).then(
    () => expect.unreachable('it should have failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(await readdir(root)).toEqual(['cache']);
  expect(await readdir(join(root, 'cache'))).toEqual(['models']);
  expect(await readdir(join(root, 'cache', 'models', ID))).not.toContain('main');
  expectNoTokenElsewhere();
  return (error as UserError).what;
}

function expectNoTokenElsewhere(): void {
  expect(elsewhere.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
}

const json =
  (body: unknown, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

const entry = (path: string, more = {}) => ({ type: 'file', path, size: 3, oid: 'a'.repeat(40), ...more });

/** Goes on with `piece` until the client has had enough. */
const endless = (head: string, piece: string, milliseconds: number) => (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write(head);
  const timer = setInterval(() => response.write(piece), milliseconds);
  response.on('close', () => clearInterval(timer));
};

test.each([
  ['other paths', ['../../../../evil', '/tmp/evil', 'model.safetensors/../../evil'].map((path) => entry(path))],
  ['fewer paths', [entry('config.json')]],
  ['no path', []],
  ['sizes that are none', Object.keys(modelFiles).map((path) => entry(path, { size: -1 }))],
  ['no checksums', Object.keys(modelFiles).map((path) => entry(path, { oid: '../x' }))],
  ['no list', { paths: 1 }],
])('paths-info that answers with %s writes nothing', async (_, answer) => {
  hub.answers.set('/paths-info/', json(answer));
  expect(await refusal()).toContain('Hugging Face Hub');
  expect(hub.transfers).toEqual([]);
});

test('names of a listing that climb are not asked for', async () => {
  const paths = ['../evil.json', '..', 'a/../../evil.json', '/etc/evil.json', '.hidden.json', 'C:\\evil.json'];
  for (const path of paths) hub.files.set(path, Buffer.from('x'));
  const named = ['../../evil.jinja', '..jinja', '.jinja', 'a/b.jinja', '/etc/evil.jinja', 'evil.json'];
  const inside = named.map((name) => entry(`additional_chat_templates/${name}`));
  hub.answers.set(`/tree/${COMMIT}/additional_chat_templates`, json([...inside, ...paths.map((path) => entry(path))]));
  hub.files.set('additional_chat_templates/x.jinja', Buffer.from('x'));
  const folder = await pull();
  expect((await readdir(folder)).sort()).toEqual([
    'config.json',
    'model.safetensors',
    'provenance.json',
    'tokenizer.json',
  ]);
  expect(await readdir(root)).toEqual(['cache']);
});

test.each(['../../x', 'main', '', 'a'.repeat(41), 7])('the commit %j is none', async (sha) => {
  hub.answers.set('/revision/', json({ _id: '1', id: ID, sha }));
  expect(await refusal()).toContain('names no commit');
});

test('a Link to another host is not followed', async () => {
  const link = `<${elsewhere.url}/api/models/${ID}/tree/${COMMIT}?cursor=2>; rel="next"`;
  hub.answers.set('/tree/', json([entry('config.json')], { link }));
  expect(await refusal()).toContain('goes on at another address');
  expect(elsewhere.requests).toEqual([]);
});

test.each(['/revision/', '/tree/', '/paths-info/', '/resolve/'])(
  'a redirect of %s takes no token along',
  async (key) => {
    const location = (url = ''): string => `${elsewhere.url}${url}`;
    hub.answers.set(
      key,
      (response, request) => void response.writeHead(307, { location: location(request.url) }).end(),
    );
    await pull();
    expect(elsewhere.requests.length).toBeGreaterThan(0);
    expectNoTokenElsewhere();
  },
);

test('a redirect to a file here, or in a circle, is an error', async () => {
  hub.answers.set('/resolve/', (response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end());
  await refusal();
  hub.answers.set('/resolve/', (response, { url = '' }) => void response.writeHead(302, { location: url }).end());
  await refusal();
});

test('a listing without end is given up: by pages, by bytes, by time', async () => {
  const next = (page: number) => `<${hub.url}/api/models/${ID}/tree/${COMMIT}?cursor=${page}>; rel="next"`;
  let page = 0;
  const onAndOn = (response: ServerResponse) => json([entry('config.json')], { link: next(++page) })(response);
  hub.answers.set('/tree/', onAndOn);
  expect(await refusal()).toContain('does not end after');
  hub.answers.set('/tree/', json([entry('config.json')], { link: next(2) }));
  expect(await refusal()).toContain('goes round in a circle');
  hub.answers.set('/tree/', endless('[', `${' '.repeat(4_000_000)}\n`, 1));
  expect(await refusal()).toContain('longer than');
  hub.answers.set('/tree/', endless('[', ' ', 20));
  expect(await refusal({ patience: { ...patience, listingMilliseconds: 500 } })).toContain('no whole answer in time');
});

const drip = (response: ServerResponse): void => {
  response.writeHead(200, { etag: '"x"', 'content-length': weights.length });
  const timer = setInterval(() => response.write('.'), 20);
  response.on('close', () => clearInterval(timer));
};

test('a file that drips is given up', async () => {
  hub.answers.set('/model.safetensors', drip);
  expect(await refusal()).toContain('too little came through');
});

/** The same server as ModelScope, whose lists may name no checksum. */
const asModelScope = () => ({ hubUrl: NOWHERE, modelScopeUrl: hub.url });
const blob = (Path: string, more = {}) => ({ Path, Type: 'blob', Size: 3, Sha256: '', ...more });
const blobs = (Size?: number) =>
  Object.entries(modelFiles).map(([path, { length }]) => blob(path, { Size: Size ?? length }));

test('names of a listing of ModelScope that climb are not asked for', async () => {
  const paths = ['../evil.json', '..', 'a/../../evil.json', '/etc/evil.json', '.hidden.json', 'C:\\evil.json'];
  const named = ['../../evil.jinja', '..jinja', '.jinja', 'a/b.jinja', '/etc/evil.jinja', 'evil.json'];
  const inside = named.map((name) => `additional_chat_templates/${name}`);
  for (const path of [...paths, ...inside]) hub.files.set(path, Buffer.from('x'));
  const folder = { Path: 'additional_chat_templates', Type: 'tree', Size: 0 };
  const Files = [folder, ...blobs(), ...[...paths, ...inside].map((path) => blob(path, { Size: 1 }))];
  hub.answers.set('/repo/files', json({ Data: { Files } }));
  expect((await readdir(await pull(asModelScope()))).sort()).toEqual([
    'config.json',
    'model.safetensors',
    'provenance.json',
    'tokenizer.json',
  ]);
  expect(hub.transfers.map(({ path }) => path).sort()).toEqual(Object.keys(modelFiles).sort());
  expect(await readdir(root)).toEqual(['cache']);
});

test.each([
  ['smaller than they are', 1],
  ['larger', 400_000],
  ['negative', -1],
  ['beyond all numbers', 1e300],
])('files of ModelScope whose sizes are %s are no model', async (_, size) => {
  hub.answers.set('/repo/files', json({ Data: { Files: blobs(size) } }));
  expect(await refusal(asModelScope())).toContain('ModelScope');
});

test('a file of ModelScope that drips, and one with another checksum, are given up', async () => {
  hub.announcedSha256.set('model.safetensors', '0'.repeat(64));
  expect(await refusal(asModelScope())).toContain('is damaged: its SHA-256 is');
  hub.announcedSha256.clear();
  hub.answers.set('FilePath=model.safetensors', drip);
  expect(await refusal(asModelScope())).toContain('too little came through');
});

test('a redirect of ModelScope takes no token along', async () => {
  const location = (url = ''): string => `${elsewhere.url}${url}`;
  hub.answers.set('/repo', (response, { url }) => void response.writeHead(307, { location: location(url) }).end());
  await pull(asModelScope());
  expect(elsewhere.requests.length).toBeGreaterThan(0);
  expectNoTokenElsewhere();
});

test('empty and cut listings are errors, not models', async () => {
  hub.answers.set('/tree/', json([]));
  expect(await refusal()).toContain('its list of files is empty');
  hub.answers.set('/tree/', json([entry('config.json'), entry('model-00001-of-00003.safetensors')]));
  expect(await refusal()).toContain('1 of 3 safetensors files');
  hub.answers.set('/tree/', (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end());
  await refusal();
  hub.answers.set('/tree/', (response) => void response.writeHead(200).end('<html>'));
  await refusal();
});

test('revisions that look alike have folders of their own, inside the cache', () => {
  const names = [
    'a/b',
    'a_b',
    'a%2Fb',
    'a--b',
    '..',
    '.',
    '../..',
    'main',
    'main.lock',
    'main.partial-hugging_face',
    'ä',
  ];
  const folders = names.map((revision) => modelFolder('/cache', ID, revision, undefined));
  folders.push(modelFolder('/cache', ID, 'a', 'b'), modelFolder('/cache', ID, undefined, 'main.gguf'));
  expect(new Set(folders).size).toBe(folders.length);
  for (const folder of folders) expect(folder).toMatch(/^\/cache\/models\/someone\/Some-Model\/[^/]+$/);
  expect(folders.some((folder) => /\.(lock|partial-\w+)$/.test(folder))).toBe(false);
});

test('four files come at a time, and every one is checked', async () => {
  const shards = Array.from({ length: 6 }, (_, i) => [
    `model-0000${i + 1}-of-00006.safetensors`,
    Buffer.alloc(250_000, i),
  ]);
  hub.files.delete('model.safetensors');
  for (const [path, bytes] of shards) hub.files.set(path as string, bytes as Buffer);
  const isAsked = (name: string) => hub.requests.some(({ url }) => url.endsWith(name));
  hub.answers.set('model-00001-of', async (response) => {
    while (!isAsked('model-00004-of-00006.safetensors')) await delay(5);
    response.writeHead(200, { etag: '"1"', 'content-length': 250_000 }).end(Buffer.alloc(250_000, 0));
  });
  const folder = await pull();
  const { files } = JSON.parse(await readFile(join(folder, 'provenance.json'), 'utf8'));
  expect(files).toHaveLength(8);
  for (const [path, bytes] of shards) expect(files).toContainEqual({ path, sha256: sha256(bytes as Buffer) });
});
