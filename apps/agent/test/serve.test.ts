/** The agent as a server, spoken to as a browser does: pairing, refusals, and a live run without a hole. */

import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { RunNews } from '@anneal/core/protocol/studio';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { checkAddress } from '../src/daemon/address.ts';
import { checkBasePath } from '../src/daemon/basePath.ts';
import { compareRuns } from '../src/service/runs/compare.ts';
import {
  client,
  codeIn,
  makePlace,
  paired,
  post,
  recordStep,
  said,
  start,
  statusOf,
  type TestClient,
  upgradeStatus,
  writeRun,
} from './helpers/daemon.ts';

/** Collects what a run tells until `done` says that it is enough. */
async function collect(api: TestClient['api'], run: string, done: (news: RunNews[]) => boolean): Promise<RunNews[]> {
  const news: RunNews[] = [];
  await new Promise<void>((resolve, reject) => {
    const subscription = api.runs.events.subscribe(
      { run },
      {
        onData: ({ data }) => {
          news.push(data);
          if (!done(news)) return;
          subscription.unsubscribe();
          resolve();
        },
        onError: reject,
      },
    );
  });
  return news;
}

const seqs = (news: RunNews[]): number[] => news.flatMap(({ events }) => events.map(({ seq }) => seq));
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('pairing', () => {
  it('gives a session for a code, once', async () => {
    const daemon = await start(makePlace());
    const code = codeIn(await daemon.pairingLink());
    const first = await post(daemon, '/api/pair', { code: `${code.slice(0, 5)}-${code.slice(5).toLowerCase()}` });
    expect(first.status).toBe(200);
    const cookie = first.headers.get('set-cookie') as string;
    expect(cookie).toMatch(/^anneal-[0-9a-f]{12}=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
    const again = await post(daemon, '/api/pair', { code });
    expect(again.status).toBe(403);
    expect(await again.json()).toMatchObject({
      error: { code: 'pairing_code_wrong', next: expect.stringContaining('anneal pair') },
    });
  });

  it('knows its browsers after a restart, and forgets one that signs out', async () => {
    const place = makePlace();
    const before = await start(place);
    const cookie = await paired(before);
    await before.close();
    const daemon = await start(place);
    const session = async () => (await fetch(`${daemon.url}/api/session`, { headers: { cookie } })).json();
    expect(await session()).toEqual({ paired: true });
    await post(daemon, '/api/signout', {}, { cookie });
    expect(await session()).toEqual({ paired: false });
  });

  it('of two agents is kept beside each other by one browser, which does not know of ports', async () => {
    const daemons = [await start(makePlace()), await start(makePlace())] as const;
    const jar = new Map<string, string>();
    const keep = (cookie: string) => jar.set(...(cookie.split('=', 2) as [string, string]));
    for (const daemon of daemons) keep(await paired(daemon));
    const cookie = () => [...jar].map((pair) => pair.join('=')).join('; ');
    const arePaired = () =>
      Promise.all(
        daemons.map(async ({ url }) => {
          const session = await fetch(`${url}/api/session`, { headers: { cookie: cookie() } });
          return ((await session.json()) as { paired: boolean }).paired;
        }),
      );
    expect(await arePaired()).toEqual([true, true]);
    const signedOut = await post(daemons[0], '/api/signout', {}, { cookie: cookie() });
    keep((signedOut.headers.get('set-cookie') as string).split(';')[0] as string);
    expect(await arePaired()).toEqual([false, true]);
  });

  it('listens to ten wrong codes a minute', async () => {
    const daemon = await start(makePlace());
    const code = codeIn(await daemon.pairingLink());
    for (let attempt = 0; attempt < 10; attempt++) {
      expect((await post(daemon, '/api/pair', { code: `WRONG${attempt}` })).status).toBe(403);
    }
    expect((await post(daemon, '/api/pair', { code })).status).toBe(429);
  });

  it('serves a folder once', async () => {
    const place = makePlace();
    const daemon = await start(place);
    await expect(start(place)).rejects.toMatchObject({
      code: 'agent_running',
      what: expect.stringContaining(daemon.url),
      next: expect.stringContaining(`anneal pair ${relative('.', place.workspace)}`),
    });
  });
});

describe('what is refused', () => {
  it('sockets without a session, from other pages, under other names and at other paths', async () => {
    const place = makePlace();
    const tokenFile = join(place.workspace, 'token');
    writeFileSync(tokenFile, `${randomBytes(32).toString('base64')}\n`);
    const daemon = await start(place, { tokenFile, allowedHosts: ['gpu.lab'] });
    const cookie = await paired(daemon);
    const origin = daemon.url;
    const status = (headers: Record<string, string>, path = '/trpc') => upgradeStatus(daemon, path, headers);
    expect(await status({ cookie, origin })).toBe(101);
    expect(await status({ cookie, origin: 'http://gpu.lab:80', host: 'gpu.lab' })).toBe(101);
    expect(await status({ cookie, origin }, '/other')).toBe(404);
    expect(await status({ cookie, origin }, '/recipes/live')).toBe(101);
    expect(await status({ cookie }, '/recipes/live')).toBe(401);
    expect(await status({ cookie, origin: 'http://evil.example' }, '/recipes/live')).toBe(403);
    expect(await status({ origin })).toBe(401);
    expect(await status({ cookie })).toBe(401);
    expect(await status({ cookie: `${cookie}x`, origin })).toBe(401);
    expect(await status({ cookie, origin: 'http://evil.example' })).toBe(403);
    const foreign = `its Origin is "http://evil.example", and only pages of "${new URL(origin).host}" may ask`;
    expect(said.at(-1)).toBe(`refused a socket: ${foreign}`);
    expect(await status({ cookie, origin: 'null' })).toBe(403);
    expect(await status({ cookie, origin: 'http://evil.example', host: 'evil.example' })).toBe(403);
    expect(await status({ authorization: 'Bearer guess' })).toBe(401);
    expect(await statusOf(daemon, '/', { host: 'evil.example' })).toBe(403);
    expect(said.at(-1)).toBe('refused GET /: its Host is "evil.example": allow it with --allow-host evil.example');
    expect(await statusOf(daemon, '/', { host: 'localhost:1234' })).toBe(200);
    expect((await post(daemon, '/api/pair', { code: 'x' }, { origin: 'http://evil.example' })).status).toBe(403);
    expect(said.at(-1)).toBe(`refused POST /api/pair: ${foreign}`);
  });

  it('bodies that are no JSON, no code, or too large', async () => {
    const daemon = await start(makePlace());
    expect((await post(daemon, '/api/pair', { code: 'x' }, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(daemon, '/api/pair', { other: 1 })).status).toBe(400);
    expect((await post(daemon, '/api/pair', { code: 'x'.repeat(10_000) })).status).toBe(413);
    expect((await fetch(`${daemon.url}/api/pair`)).status).toBe(404);
  });

  it('an address that others can reach, without both a token and TLS', () => {
    expect(() => checkAddress({ host: '0.0.0.0', port: 7420 })).toThrow(/needs a token and TLS/);
    expect(() => checkAddress({ host: '10.0.0.5', port: 7420 })).toThrow(/ssh -L 7420/);
    expect(() => checkAddress({ host: '::', port: 7420 })).toThrow(/token and TLS/);
    expect(() => checkAddress({ host: '127.0.0.2', port: 7420 })).not.toThrow();
  });

  it('a certificate that is none, and half of one', () => {
    const file = join(makePlace().workspace, 'empty.pem');
    writeFileSync(file, '');
    const tls = { host: '127.0.0.1', port: 0, tlsCert: file };
    expect(() => checkAddress({ ...tls, tlsKey: file })).toThrow(/cannot be used/);
    expect(() => checkAddress(tls)).toThrow(/only one of them is given/);
    expect(() => checkAddress({ ...tls, tlsKey: `${file}.none` })).toThrow(/cannot be read \(ENOENT\)/);
  });

  it('malformed messages, and goes on', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const cookie = await paired(daemon);
    const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/trpc`, {
      headers: { cookie, origin: daemon.url },
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const methods = ['query', 'subscription', 'mutation', 'subscription.stop', 'x'];
    for (let i = 0; i < 500; i++) {
      const message = [
        '{',
        'null',
        '[]',
        JSON.stringify({ id: i, method: methods[i % 5], params: { path: 'runs.series', input: { run: i } } }),
        JSON.stringify({ id: null, method: 'query' }),
        JSON.stringify({ id: i, method: 'query', params: { path: '__proto__', input: null } }),
        randomBytes(i),
      ][i % 7] as string;
      socket.send(message);
    }
    const { api } = client(daemon, cookie);
    expect(await api.agent.about.query()).toMatchObject({ workspace: place.workspace });
    await expect(api.runs.get.query({ run: '../../etc' })).rejects.toMatchObject({
      data: { error: { code: 'run_not_found' } },
    });
    socket.terminate();
  });
});

describe('the studio', () => {
  it('is served with a policy that allows its own scripts alone', async () => {
    const daemon = await start(makePlace());
    const answer = await fetch(daemon.url);
    const hash = createHash('sha256').update('start()').digest('base64');
    expect(answer.headers.get('content-security-policy')).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect(answer.headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const etag = answer.headers.get('etag') as string;
    expect((await fetch(daemon.url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const script = await fetch(`${daemon.url}/_next/static/app.js`, { headers: { 'accept-encoding': 'br' } });
    expect(script.headers.get('content-encoding')).toBe('br');
    expect(script.headers.get('cache-control')).toContain('immutable');
    expect(await script.text()).toContain('start = ');
  });

  it('is there below the path of a proxy, whether that takes its path off or passes it on', async () => {
    const place = makePlace();
    writeFileSync(join(place.studio, 'run.html'), '<script>go("/__anneal_base_path__/_next")</script>');
    const daemon = await start(place, { basePath: checkBasePath('/user/ada%40lab/proxy/7420/') });
    const { origin, pathname } = new URL(daemon.url);
    expect(pathname).toBe('/user/ada%40lab/proxy/7420');
    const answer = await post(daemon, '/api/pair', { code: codeIn(await daemon.pairingLink()) });
    const cookie = answer.headers.get('set-cookie') as string;
    expect(cookie).toContain(`; Path=${pathname}; `);
    const headers = { cookie: cookie.split(';')[0] as string, origin };
    for (const below of [daemon.url, origin]) {
      const page = await fetch(`${below}/run?id=1`);
      const text = await page.text();
      expect(text).toBe(`<script>go("${pathname}/_next")</script>`);
      const hash = createHash('sha256').update(text.slice(8, -9)).digest('base64');
      expect(page.headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
      expect(await (await fetch(`${below}/api/session`, { headers })).json()).toEqual({ paired: true });
      expect(await upgradeStatus({ ...daemon, url: below }, '/trpc', headers)).toBe(101);
    }
    expect((await fetch(`${daemon.url}?id=1`)).status).toBe(200);
    expect((await fetch(`${daemon.url}0/api/session`)).status).toBe(404);
  });

  it('may not be below a path that is none, or that the agent has itself', () => {
    const noPaths = [
      'proxy',
      '/a b',
      '/a"b',
      '//host',
      '/a/../b',
      '/a/%2e%2E/b',
      '/.%2E',
      '/%2e',
      '/a%',
      '/a%2',
      '/a%zz',
    ];
    for (const path of [...noPaths, '/a;b', '/<b>']) {
      expect(() => checkBasePath(path), path).toThrow('this is no path of an address');
    }
    const pages = readdirSync(join(import.meta.dirname, '../../web/app'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(pages).toContain('recipes');
    for (const name of [...pages, 'api', 'v1', 'trpc', 'metrics', 'healthz', '_next']) {
      for (const path of [`/${name}`, `/${name}/7420/`]) {
        const refused = { code: 'base_path_not_usable', what: expect.stringContaining(`/${name} of its own`) };
        expect(() => checkBasePath(path), path).toThrow(expect.objectContaining(refused));
      }
    }
    const usable = [
      '',
      '/proxy/7420',
      '/user/ada/proxy/7420',
      '/user/ada%40lab/proxy/absolute/7420',
      '/runs',
      '/a/api',
    ];
    expect(usable.map(checkBasePath)).toEqual(usable);
    expect(checkBasePath('/')).toBe('');
  });

  it('serves nothing from elsewhere', async () => {
    const daemon = await start(makePlace());
    for (const path of [
      '/nothing',
      '/..%2f..%2fetc%2fpasswd',
      '/%2e%2e/workspace',
      '/%',
      '//etc/passwd',
      '/_next/../..',
    ]) {
      expect([path, await statusOf(daemon, path, {})]).toEqual([path, path === '/_next/../..' ? 200 : 404]);
    }
    expect(await (await fetch(`${daemon.url}/healthz`)).json()).toMatchObject({ ok: true });
  });
});

describe('a live run', () => {
  it('is in the list with what is known of it, and each change of it comes', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const run = await writeRun(place);
    const { api } = client(daemon, await paired(daemon));
    const states: string[] = [];
    const list = api.runs.list.subscribe(undefined, {
      onData: ({ runs }) => states.push(...runs.map(({ key, state, step }) => `${key} ${state} ${step}`)),
    });
    const key = `project/runs/${run.id}`;
    await vi.waitFor(() => expect(states).toEqual([`${key} preparing 0`]), 10_000);
    run.recordStart({ totalSteps: 3, fromStep: 0 });
    recordStep(run, 1);
    await vi.waitFor(() => expect(states.at(-1)).toBe(`${key} running 1`), 10_000);
    run.record({ type: 'finished', step: 3, loss: 0.5 });
    await vi.waitFor(() => expect(states.at(-1)).toBe(`${key} finished 3`), 10_000);
    list.unsubscribe();
    expect(await api.runs.get.query({ run: key })).toMatchObject({ baseModel: '/models/small', adapter: 'lora' });
  });

  it('misses no event though its clients are cut off again and again', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const run = await writeRun(place);
    run.recordStart({ totalSteps: 600, fromStep: 0 });
    const { api, sockets } = client(daemon, await paired(daemon));
    const got = collect(api, `project/runs/${run.id}`, (news) => news.at(-1)?.summary.state === 'finished');
    for (let step = 1; step <= 600; step++) {
      recordStep(run, step);
      if (step % 4 === 0) await wait(5);
      if (step % 200 === 0) sockets.at(-1)?.terminate();
    }
    run.record({ type: 'finished', step: 600, loss: 0.1 });
    expect(seqs(await got)).toEqual(upTo(603));
    expect(sockets.length).toBeGreaterThan(2);
  });

  it('tells a client of any number of events in at most five messages a second', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const run = await writeRun(place);
    run.recordStart({ totalSteps: 500, fromStep: 0 });
    const { api } = client(daemon, await paired(daemon));
    const begin = performance.now();
    const got = collect(api, `project/runs/${run.id}`, (news) => (seqs(news).at(-1) ?? 0) >= 502);
    for (let step = 1; step <= 500; step++) {
      recordStep(run, step);
      if (step % 2 === 0) await wait(4);
    }
    const news = await got;
    expect(seqs(news)).toEqual(upTo(502));
    expect(news.length).toBeLessThanOrEqual((performance.now() - begin) / 200 + 1);
  });

  it('closes a client that does not read, which then catches up', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const run = await writeRun(place);
    // What compresses well would not wait.
    const text = randomBytes(75_000).toString('base64');
    for (let step = 1; step <= 20; step++) run.record({ type: 'sample', step, prompt: 'a', text });
    const { api, sockets } = client(daemon, await paired(daemon));
    const key = `project/runs/${run.id}`;
    const got = collect(api, key, (news) => (seqs(news).at(-1) ?? 0) >= 21);
    await vi.waitFor(() => expect(sockets[0]?.readyState).toBe(WebSocket.OPEN), 10_000);
    sockets[0]?.pause();
    // 20 MB of answers: more than the system holds for a socket.
    const answers = Array.from({ length: 10 }, () => api.runs.happenings.query({ run: key }));
    void Promise.allSettled(answers);
    // What has come is not read, so that only writing finds that the agent has closed it.
    await vi.waitFor(
      () => {
        sockets[0]?.ping();
        expect(sockets[0]?.readyState).toBe(WebSocket.CLOSED);
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(seqs(await got)).toEqual(upTo(21));
    expect(sockets.length).toBeGreaterThan(1);
  });

  it('has its whole output searched, however long it is', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const run = await writeRun(place);
    const lines = Array.from({ length: 30_000 }, (_, at) =>
      at % 1000 === 6 ? `WARNING ${at}` : `line ${at}, nothing more`,
    );
    writeFileSync(join(run.path, 'run.log'), `${lines.join('\n')}\nthe last warning`);
    const { api } = client(daemon, await paired(daemon));
    const named = { run: `project/runs/${run.id}` };
    const found = await api.runs.searchOutput.query({ ...named, text: 'warning' });
    expect(found.count).toBe(31);
    expect(found.lines[0]).toEqual({ number: 7, text: 'WARNING 6' });
    expect(found.lines.at(-1)).toEqual({ number: 30_001, text: 'the last warning' });
    const many = await api.runs.searchOutput.query({ ...named, text: 'line' });
    expect([many.count, many.lines.length, many.lines.at(-1)?.number]).toEqual([29_970, 500, 30_000]);
    expect(await api.runs.searchOutput.query({ ...named, text: 'nowhere' })).toEqual({ count: 0, lines: [] });
  });

  it('is sent in few buckets with every spike in them', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const run = await writeRun(place);
    run.recordStart({ totalSteps: 1000, fromStep: 0 });
    for (let step = 1; step <= 900; step++) recordStep(run, step, step === 500 ? 99 : step === 700 ? null : 1);
    // A launch died after its checkpoint at 800: what it did after that does not count.
    run.recordStart({ totalSteps: 1000, fromStep: 800 });
    for (let step = 801; step <= 1000; step++) recordStep(run, step, 1);
    const { api } = client(daemon, await paired(daemon));
    const named = { run: `project/runs/${run.id}` };
    const all = await api.runs.series.query({ ...named, buckets: 100 });
    expect(all.step).toEqual(Array.from({ length: 100 }, (_, index) => 10 * (index + 1)));
    expect(Math.max(...(all.bands.loss.max as number[]))).toBe(99);
    expect(all).toMatchObject({ extent: [1, 1000], notFinite: [700], resumes: [800], seq: 1104 });
    const part = await api.runs.series.query({ ...named, from: 495, to: 505 });
    expect(part.step).toEqual(Array.from({ length: 11 }, (_, index) => 495 + index));
    expect(part.bands.loss.mean[5]).toBe(99);
    const gap = await api.runs.series.query({ ...named, from: 699, to: 701 });
    expect([gap.bands.loss.mean, gap.notFinite]).toEqual([[1, null, 1], [700]]);
    // Smoothing goes over every step, whatever part is shown.
    expect(part.smoothedLoss[5]).toBeCloseTo(0.1 * 99 + 0.9, 4);
    expect(part.smoothing).toEqual(all.smoothing);
    // What is set beside other runs is what the log says, though no log is read for it.
    const recipe = 'base_model: smollm2-135m\ndatasets:\n  - {path: rows.jsonl}\n';
    writeFileSync(join(run.path, 'recipe.resolved.yaml'), recipe);
    const runs = [run.path, run.path];
    const logged = await compareRuns({}, { runs, steps: true });
    expect(logged.runs[0]).toMatchObject({ steps: 1000, recordedSteps: 1000, loss: 1 });
    const indexed = await api.runs.compare.query({ runs: [named.run, named.run], steps: true });
    expect(indexed).toEqual(JSON.parse(JSON.stringify(logged)));
    const cookie = await paired(daemon);
    const table = async (query: string) =>
      (await fetch(`${daemon.url}/api/runs/comparison?${query}`, { headers: { cookie } })).text();
    const both = `run=${named.run}&run=${named.run}`;
    expect((await table(both)).split('\n').slice(0, 2)).toEqual([
      'run,state,steps,recordedSteps,loss,validationLoss,bestValidationLoss,tokensPerSecond,tokens,milliseconds,timedSteps',
      expect.stringMatching(new RegExp(`^${named.run},running,1000,1000,1,,,`)),
    ]);
    expect((await table(`${both}&steps`)).split('\n').slice(0, 2)).toEqual([`step,${named.run},${named.run}`, '1,1,1']);
    expect(JSON.parse(await table(`run=${named.run}`))).toMatchObject({ error: { where: 'runs' } });
  });
});

describe('recipes', () => {
  it('are checked as they are written', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const { api } = client(daemon, await paired(daemon));
    expect(await api.recipes.list.query()).toEqual([]);
    const { recipe } = await api.recipes.begin.mutate();
    expect(await api.recipes.begin.mutate()).toEqual({ recipe: 'starter-2/recipe.yaml' });
    const text = readFileSync(join(place.workspace, recipe), 'utf8');
    expect(await api.recipes.check.query({ recipe, text })).toMatchObject({ problems: [], pull: null });
    const sources = {
      model: ['base_model: model', 'base_model: nobody/none'],
      data: ['data/harbour.jsonl', 'nobody/rows'],
    };
    for (const [of, [here = '', missing = '']] of Object.entries(sources)) {
      const { pull, problems } = await api.recipes.check.query({ recipe, text: text.replace(here, missing) });
      expect({ problems, pull }).toMatchObject({
        problems: [],
        pull: { of, name: missing.replace('base_model: ', '') },
      });
      expect(pull?.how).toContain('anneal pull');
    }
    const wrong = text.replace('lora_r:', 'lora_rr:').replace('data/harbour.jsonl', 'data/none.jsonl');
    const { problems } = await api.recipes.check.query({ recipe, text: wrong });
    expect(problems).toMatchObject([{ code: 'unknown_key', line: 5, column: 1, endColumn: 8, fix: 'lora_r' }]);
  });

  it('of other trainers are translated into a folder that is not there yet', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const { api } = client(daemon, await paired(daemon));
    const sound = 'base_model: model\ndatasets:\n  - path: rows.jsonl\n    type: alpaca\nlora_rank: 8\n';
    await expect(
      api.recipes.import.mutate({ folder: 'project', file: 'theirs.yaml', text: sound }),
    ).rejects.toMatchObject({
      data: { error: { code: 'folder_taken' } },
    });
    for (const folder of ['../outside', 'a/b', '.hidden', 'runs', '']) {
      await expect(api.recipes.import.mutate({ folder, file: 'theirs.yaml', text: sound })).rejects.toMatchObject({
        data: { code: 'BAD_REQUEST', error: { code: 'bad_request', where: 'folder' } },
      });
    }
    await expect(
      api.recipes.import.mutate({ folder: 'mine', file: 'theirs.yaml', text: 'a: 1\n' }),
    ).rejects.toMatchObject({
      data: { error: { code: 'import_unknown_format', where: 'theirs.yaml' } },
    });
    const { recipe, account } = await api.recipes.import.mutate({ folder: 'mine', file: 'theirs.yaml', text: sound });
    expect(recipe).toBe('mine/recipe.yaml');
    expect(account).toMatchObject({ kind: 'axolotl', folder: 'mine' });
    expect(account.untranslated.map(({ key }) => key)).toContain('lora_rank');
    expect(readFileSync(join(place.workspace, recipe), 'utf8')).toContain('base_model: model');
  });

  it('start a run from what they are at that moment, whose hashes the run and the history hold', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const { api } = client(daemon, await paired(daemon));
    const { recipe } = await api.recipes.begin.mutate();
    const text = readFileSync(join(place.workspace, recipe), 'utf8');
    await api.queue.setConcurrency.mutate({ device: 'cpu', runs: 0 });
    const { run } = await api.recipes.start.mutate({ recipe, text, device: 'cpu' });
    writeFileSync(join(place.workspace, recipe), `${text}# changed since\n`);
    const fileOf = (file: string) => readFileSync(join(place.workspace, run, file), 'utf8');
    expect(fileOf('recipe.yaml').trimEnd()).toBe(`${text.trimEnd()}\ndevice: cpu`);
    const [created] = fileOf('events.jsonl').split('\n');
    expect(JSON.parse(created as string).recipeSha256).toBe(sha256(fileOf('recipe.resolved.yaml')));
    const [started] = (await api.recipes.history.query({ recipe })).filter(({ why }) => why === 'started');
    expect(started?.sha256).toBe(sha256(text));
  });

  it('are files of the workspace, and their runs lie where the agent sees them', async () => {
    const place = makePlace();
    const daemon = await start(place);
    const { api } = client(daemon, await paired(daemon));
    const { recipe } = await api.recipes.begin.mutate();
    writeFileSync(join(place.workspace, '..', 'outside.yaml'), 'base_model: model\n');
    symlinkSync(join(place.workspace, '..', 'outside.yaml'), join(place.workspace, 'link.yaml'));
    expect((await api.recipes.list.query()).map(({ key }) => key)).toEqual([recipe]);
    for (const name of [
      '../outside.yaml',
      'link.yaml',
      join(place.workspace, recipe),
      'starter/../starter/recipe.yaml',
    ]) {
      await expect(api.recipes.open.query({ recipe: name })).rejects.toMatchObject({
        data: { error: { code: 'recipe_not_found' } },
      });
    }
    appendFileSync(join(place.workspace, recipe), 'output_dir: ../../elsewhere\n');
    await expect(api.recipes.start.mutate({ recipe })).rejects.toMatchObject({
      data: { error: { code: 'runs_elsewhere' } },
    });
  });
});
