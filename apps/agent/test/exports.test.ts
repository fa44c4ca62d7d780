/** Exports through the agent: jobs that write and compare, and downloads that can be taken up again. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { basename, join } from 'node:path';
import { GGUF_TYPES } from '@anneal/core/export/ggufTypes';
import { startHub } from '@anneal/core/hub/testing/hubStandIn';
import type { StudioExport } from '@anneal/core/protocol/exports';
import type { JobOf, JobState, ListedJob } from '@anneal/core/protocol/jobs';
import type { Scope } from '@anneal/core/protocol/roles';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import type { Daemon } from '../src/daemon/daemon.ts';
import { partOf } from '../src/daemon/exports/range.ts';
import { tarSegments } from '../src/daemon/exports/tar.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';
import { client, makePlace, type Place, paired, start, type TestClient } from './helpers/daemon.ts';
import { trainedRun } from './helpers/trainedRun.ts';

let trained: string;
beforeAll(async () => {
  trained = await trainedRun();
});

/** A workspace with a run that was trained. */
async function served(): Promise<{ place: Place; daemon: Daemon; cookie: string; run: string; path: string }> {
  const place = makePlace();
  const path = join(place.workspace, 'harbor', 'runs', basename(trained));
  cpSync(trained, path, { recursive: true });
  const daemon = await start(place);
  return { place, daemon, cookie: await paired(daemon), run: `harbor/runs/${basename(trained)}`, path };
}

/** The jobs as a client sees them. */
function follow(api: TestClient['api']): Map<string, ListedJob> {
  const jobs = new Map<string, ListedJob>();
  const list = api.jobs.list.subscribe(undefined, {
    onData: (change) => {
      for (const id of change.gone) jobs.delete(id);
      for (const job of change.jobs) jobs.set(job.id, job);
    },
  });
  onTestFinished(() => list.unsubscribe());
  return jobs;
}

async function ended(jobs: Map<string, ListedJob>, id: string): Promise<ListedJob> {
  const states: JobState[] = ['finished', 'failed', 'cancelled'];
  await vi.waitFor(() => expect(states).toContain(jobs.get(id)?.state), 30_000);
  return jobs.get(id) as ListedJob;
}

const addressOf = (daemon: Daemon, run: string, key: string) =>
  `${daemon.url}/api/exports/download?run=${encodeURIComponent(run)}&export=${encodeURIComponent(key)}`;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

/** Waits for the export to be whole and returns what is there of it. */
async function exported(api: TestClient['api'], run: string, forms: object): Promise<StudioExport[]> {
  const jobs = follow(api);
  const { job } = await api.exports.start.mutate({ run, ...forms });
  expect(await ended(jobs, job)).toMatchObject({ state: 'finished' });
  return api.exports.list.query({ run });
}

test('an export is a job: planned, followed, listed, compared and removed', async () => {
  const { daemon, cookie, run, path } = await served();
  const { api } = client(daemon, cookie);
  const jobs = follow(api);
  const plan = await api.exports.plan.query({ run });
  expect(plan).toMatchObject({ target: `${run}/export/step-60`, refusal: null });
  expect(plan.checkpoints.at(-1)).toMatchObject({ step: 60 });
  const { job } = await api.exports.start.mutate({ run, lora: true, gguf: ['q8_0'], ollama: true, check: true });
  expect(await ended(jobs, job)).toMatchObject({ kind: 'export', subject: run, state: 'finished' });
  await vi.waitFor(() => expect([...jobs.values()].map(({ kind }) => kind)).toContain('parity'), 10_000);
  const check = [...jobs.values()].find(({ kind }) => kind === 'parity') as JobOf<'parity'>;
  expect(await ended(jobs, check.id)).toMatchObject({ state: 'finished', result: [{}, {}] });
  const found = await api.exports.list.query({ run });
  expect(found.map(({ form, parity }) => [form, parity !== null])).toEqual([
    ['ollama', false],
    ['gguf', true],
    ['lora', true],
  ]);
  const gguf = found.find(({ form }) => form === 'gguf') as StudioExport;
  expect(gguf.key).toBe(`${run}/export/step-60/${gguf.path}`);
  expect(gguf.files[0]?.bytes).toBe(plan.gguf?.q8_0);
  const again = await api.exports.check.mutate({ run, exports: [gguf.key] });
  expect(await ended(jobs, again.job)).toMatchObject({ state: 'finished', result: [{}] });
  await api.exports.remove.mutate({ run, exports: found.map(({ key }) => key) });
  expect(readdirSync(join(path, 'export'))).toEqual([]);
});

test('a push is a job that uses the kept token, here and by remote, and can be cancelled', async () => {
  const hub = await startHub('some/model', {});
  onTestFinished(() => hub.close());
  vi.stubEnv('HF_ENDPOINT', hub.url);
  vi.stubEnv('HF_TOKEN', undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { daemon, place, cookie, run } = await served();
  const { api } = client(daemon, cookie);
  const jobs = follow(api);
  const [gguf] = (await exported(api, run, { gguf: ['q8_0'], ollama: true })).filter(({ form }) => form === 'gguf');
  const order = { run, exported: gguf?.key as string, to: 'you/harbor' };
  const tokenless = await api.exports.push.mutate(order);
  expect(await ended(jobs, tokenless.job)).toMatchObject({ state: 'failed', error: { code: 'hub_token_missing' } });
  await api.secrets.set.mutate({ name: 'hf_token', secret: hub.uploads.token });

  hub.uploads.onPut = () => new Promise(() => undefined);
  const stuck = await api.exports.push.mutate(order);
  await vi.waitFor(() => expect(jobs.get(stuck.job)?.progress).toMatchObject({ phase: 'uploading' }), 10_000);
  await api.jobs.cancel.mutate({ job: stuck.job });
  expect(await ended(jobs, stuck.job)).toMatchObject({ state: 'cancelled', result: null });
  hub.uploads.onPut = () => undefined;

  const { job } = await api.exports.push.mutate(order);
  expect(await ended(jobs, job)).toMatchObject({ kind: 'push', subject: run, result: { isPrivate: true } });
  expect([...(hub.uploads.repositories.get('you/harbor')?.files.keys() ?? [])]).toContain('Modelfile');
  expect(JSON.stringify([...jobs.values()])).not.toContain(hub.uploads.token);

  const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('laptop', 'operator');
  const remote = annealIn(temporaryFolder(), { ANNEAL_HOST: daemon.url, ANNEAL_TOKEN: token });
  const push = async (source: string) =>
    JSON.parse((await remote('remote', 'push', source, '--to', order.to, '--json')).stdout);
  expect(await push(gguf?.key as string)).toMatchObject({ repository: 'you/harbor', sent: [] });
  expect(await push('latest')).toMatchObject({ repository: 'you/harbor', sent: [] });
});

test('an export that is cancelled, or whose agent ends, leaves nothing', async () => {
  const { daemon, place, cookie, run, path } = await served();
  const { api } = client(daemon, cookie);
  const jobs = follow(api);
  const order = { run, merged: 'f32', gguf: [...GGUF_TYPES] } as const;
  const { job } = await api.exports.start.mutate(order);
  await vi.waitFor(() => expect(jobs.get(job)?.state).toBe('running'), 10_000);
  await expect(api.exports.start.mutate(order)).rejects.toMatchObject({ data: { error: { code: 'job_running' } } });
  await api.jobs.cancel.mutate({ job });
  expect(await ended(jobs, job)).toMatchObject({ state: 'cancelled', result: null });
  expect(readdirSync(join(path, 'export'))).toEqual([]);

  await api.exports.start.mutate(order);
  await daemon.close();
  expect(readdirSync(join(path, 'export'))).toEqual([]);
  const next = await start(place);
  const again = client(next, cookie);
  const list = await new Promise((resolve) => again.api.jobs.list.subscribe(undefined, { onData: resolve }));
  expect(list).toEqual({ jobs: [], gone: [] });
});

test('it goes to a folder of the workspace, and to no other', async () => {
  const { daemon, place, cookie, run } = await served();
  const { api } = client(daemon, cookie);
  const found = await exported(api, run, { lora: true, to: 'exports/first' });
  expect(found.map(({ key }) => key)).toEqual(['exports/first/lora']);
  symlinkSync(temporaryFolder(), join(place.workspace, 'out'));
  symlinkSync(join(place.workspace, 'nowhere'), join(place.workspace, 'broken'));
  writeFileSync(join(place.workspace, 'file'), '');
  for (const to of [
    '../x',
    '/etc',
    'a/../../x',
    '.hidden',
    'out',
    'out/x',
    'broken',
    'broken/x',
    'file',
    'file/x',
    'a/b/c/d',
    'runs/x',
    'a\0b',
    'a//b',
  ]) {
    await expect(api.exports.start.mutate({ run, lora: true, to }), to).rejects.toMatchObject({
      data: { error: { code: 'folder_outside' } },
    });
  }
});

test('a file comes in parts that fit together, and only while it is the same', async () => {
  const { daemon, cookie, run, path } = await served();
  const { api } = client(daemon, cookie);
  const [gguf] = await exported(api, run, { gguf: ['q8_0'] });
  const { key } = gguf as StudioExport;
  const file = join(path, 'export', 'step-60', (gguf as StudioExport).path);
  const url = addressOf(daemon, run, key);
  const get = (headers: Record<string, string> = {}) => fetch(url, { headers: { cookie, ...headers } });

  const whole = await get();
  const { size, etag } = {
    size: Number(whole.headers.get('content-length')),
    etag: whole.headers.get('etag') as string,
  };
  expect(whole.headers.get('content-disposition')).toBe(
    `attachment; filename="${basename(file)}"; filename*=UTF-8''${basename(file)}`,
  );
  expect(etag).toMatch(/^"[\w-]{22}"$/);
  const bytes = await bytesOf(whole);
  expect(sha256(bytes)).toBe(sha256(readFileSync(file)));

  const first = await get({ range: 'bytes=0-99999' });
  const rest = await get({ range: 'bytes=100000-', 'if-range': etag });
  expect([first.status, rest.status]).toEqual([206, 206]);
  expect(rest.headers.get('content-range')).toBe(`bytes 100000-${size - 1}/${size}`);
  expect(sha256(Buffer.concat([await bytesOf(first), await bytesOf(rest)]))).toBe(sha256(bytes));
  expect(sha256(await bytesOf(await get({ range: 'bytes=-7' })))).toBe(sha256(bytes.subarray(-7)));
  const none = await get({ range: `bytes=${size}-` });
  expect([none.status, none.headers.get('content-range')]).toEqual([416, `bytes */${size}`]);
  expect((await get({ 'if-none-match': etag })).status).toBe(304);
  const head = await fetch(url, { method: 'HEAD', headers: { cookie } });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(size)]);

  // Another file under this name: who goes on gets the whole of it.
  appendFileSync(file, 'more');
  const changed = await get({ range: 'bytes=100000-', 'if-range': etag });
  expect([changed.status, changed.headers.get('content-length')]).toEqual([200, String(size + 4)]);
  await changed.body?.cancel();
});

test('a folder comes as an archive that tar unpacks, and parts of which fit together', async () => {
  const { daemon, cookie, run, path } = await served();
  const { api } = client(daemon, cookie);
  const [merged] = await exported(api, run, { merged: 'bf16' });
  const url = addressOf(daemon, run, (merged as StudioExport).key);
  const whole = await bytesOf(await fetch(url, { headers: { cookie } }));
  const parts = await Promise.all(
    ['bytes=0-700', 'bytes=701-99999', 'bytes=100000-'].map(async (range) =>
      bytesOf(await fetch(url, { headers: { cookie, range } })),
    ),
  );
  expect(sha256(Buffer.concat(parts))).toBe(sha256(whole));
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'it.tar'), whole);
  execFileSync('tar', ['-xf', 'it.tar'], { cwd: folder });
  const [name] = readdirSync(folder).filter((entry) => entry !== 'it.tar');
  const source = join(path, 'export', 'step-60', 'merged');
  expect(readdirSync(join(folder, name as string)).sort()).toEqual(readdirSync(source).sort());
  for (const file of readdirSync(source)) {
    expect(sha256(readFileSync(join(folder, name as string, file)))).toBe(sha256(readFileSync(join(source, file))));
  }
});

test('nothing is downloaded without a session, by another name, or from elsewhere', async () => {
  const { daemon, place, cookie, run, path } = await served();
  const { api } = client(daemon, cookie);
  const [lora] = await exported(api, run, { lora: true });
  const { key } = lora as StudioExport;
  const statusOf = async (headers: Record<string, string>, name = key, ofRun = run) =>
    (await fetch(addressOf(daemon, ofRun, name), { headers })).status;
  expect(await statusOf({ cookie })).toBe(200);
  expect(await statusOf({})).toBe(401);
  expect(await statusOf({ cookie: `${cookie}x` })).toBe(401);
  expect(await statusOf({ authorization: 'Bearer guess' })).toBe(401);
  const tokens = new ApiTokens(new AgentState(place.workspace).folder);
  const bearer = async (scope: Scope) => ({ authorization: `Bearer ${(await tokens.create(scope, scope)).token}` });
  expect([await statusOf(await bearer('chat')), await statusOf(await bearer('exports'))]).toEqual([401, 200]);
  for (const name of [
    '',
    '../../etc/passwd',
    '/etc/passwd',
    `${key}/../../../lock.json`,
    `${run}/recipe.yaml`,
    `${key}/`,
  ]) {
    expect([name, await statusOf({ cookie }, name)]).toEqual([name, 404]);
  }
  expect(await statusOf({ cookie }, key, '../..')).toBe(404);
  // Not through the browser of a stranger's page, and not by a name that leads here.
  const foreign = await new Promise<number>((resolve, reject) => {
    const headers = { cookie, host: 'evil.example' };
    request(addressOf(daemon, run, key), { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
  expect(foreign).toBe(403);
  // A run that somebody sent, whose record names what is not its own.
  const secret = join(place.workspace, '..', 'secret');
  writeFileSync(secret, 'secret');
  const hostile = join(path, 'export', 'hostile');
  mkdirSync(hostile);
  symlinkSync(secret, join(hostile, 'link'));
  const entry = {
    form: 'gguf',
    type: null,
    run: { id: basename(path), step: 1 },
    created: '',
    warnings: [],
    parity: null,
  };
  const record = (file: string) =>
    JSON.stringify({ version: 1, entries: [{ ...entry, path: file, files: [{ path: file, bytes: 6 }] }] });
  writeFileSync(join(hostile, 'anneal-export.json'), record('link'));
  expect((await api.exports.list.query({ run })).map(({ path: below }) => below)).toEqual(['lora']);
  expect(await statusOf({ cookie }, `${run}/export/hostile/link`)).toBe(404);
  for (const file of ['../../../../../secret', secret, 'a/../link', '..', '.hidden']) {
    writeFileSync(join(hostile, 'anneal-export.json'), record(file));
    await expect(api.exports.list.query({ run }), file).rejects.toMatchObject({
      data: { error: { code: 'export_record_damaged' } },
    });
  }
});

test('ranges are read as the standard says', () => {
  const file = { size: 100, etag: '"a"' };
  const of = (range: string | undefined, ifRange?: string) => partOf({ range, ifRange }, file);
  const whole = { start: 0, end: 100, whole: true };
  expect(of(undefined)).toEqual(whole);
  expect(of('bytes=0-0')).toEqual({ start: 0, end: 1, whole: false });
  expect(of('bytes=90-200')).toEqual({ start: 90, end: 100, whole: false });
  expect(of('bytes=-200')).toEqual({ start: 0, end: 100, whole: false });
  for (const range of ['bytes=', 'bytes=-', 'lines=1-2', 'bytes=5-2', 'bytes=0-1,5-6', 'bytes=a-b', 'bytes=1-2-3']) {
    expect([range, of(range)]).toEqual([range, whole]);
  }
  for (const range of ['bytes=100-', 'bytes=-0', 'bytes=999999999999999-']) expect(of(range)).toBe('unsatisfiable');
  expect(of('bytes=5-', '"b"')).toEqual(whole);
  expect(of('bytes=5-', '"a"')).toEqual({ start: 5, end: 100, whole: false });
});

test('a file deep in a folder keeps its name in an archive', () => {
  const folder = temporaryFolder();
  const name = `${'a'.repeat(60)}/${'b'.repeat(50)}/${'c'.repeat(90)}.jinja`;
  writeFileSync(join(folder, 'source'), 'text');
  const segments = tarSegments([{ name, path: join(folder, 'source'), size: 4 }], 0);
  const bytes = segments.map((segment) => ('bytes' in segment ? segment.bytes : readFileSync(segment.path)));
  writeFileSync(join(folder, 'it.tar'), Buffer.concat(bytes));
  execFileSync('tar', ['-xf', 'it.tar'], { cwd: folder });
  expect(readFileSync(join(folder, name), 'utf8')).toBe('text');
  expect(() => tarSegments([{ name: 'd'.repeat(101), path: 'x', size: 0 }], 0)).toThrow(/too long/);
});

test('a file of more than 8 GiB has its size in an archive', () => {
  const size = 2 ** 33 + 5;
  const [head, , padding] = tarSegments([{ name: 'big', path: 'big', size }], 0) as { bytes: Buffer }[];
  expect(head?.bytes[124]).toBe(0x80);
  expect(head?.bytes.readBigUInt64BE(128)).toBe(BigInt(size));
  expect(padding?.bytes.length).toBe(512 - 5);
});
