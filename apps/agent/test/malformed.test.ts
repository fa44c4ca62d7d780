/** Malformed messages to every procedure, and requests to every route: an error each, no defect, and the agent goes on. */
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { random } from '@anneal/core/random';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { namesInQuery } from '../src/daemon/knownQuery.ts';
import { appRouter } from '../src/daemon/router/index.ts';
import { makePlace, paired, said, start } from './helpers/daemon.ts';

/** Of `npm run fuzz -- messages --count N --seed N`. */
const count = Number(process.env.FUZZ_RUNS ?? 10_000);
const seed = Number(process.env.FUZZ_SEED ?? 1);
/** A request takes ten times as long as a message. */
const requests = Number(process.env.FUZZ_RUNS ?? 1000);

type Procedure = { _def: { type: string; inputs: { safeParse(value: unknown): { success: boolean } }[] } };
const { _def: router } = appRouter;
const procedures = Object.entries(router.procedures as unknown as Record<string, Procedure>);

/** Keys that procedures have, with values that may be of the right kind or not. */
const keys = [
  'run',
  'runs',
  'recipe',
  'file',
  'model',
  'id',
  'step',
  'text',
  'from',
  'to',
  'offset',
  'limit',
  '__proto__',
  'after',
];

function valueOf(below: (below: number) => number, depth = 0): unknown {
  const kind = below(depth > 3 ? 7 : 9);
  if (kind === 0) return null;
  if (kind === 1) return below(2) === 0;
  if (kind === 2) return below(2e9) - 1e9;
  if (kind === 3) return below(1e9) / 7;
  if (kind === 4) return '../'.repeat(below(5)) + 'x'.repeat(below(3000));
  if (kind === 5) return String.fromCharCode(...Array.from({ length: below(20) }, () => below(0xffff)));
  if (kind === 6) return keys[below(keys.length)];
  if (kind === 7) return Array.from({ length: below(5) }, () => valueOf(below, depth + 1));
  return Object.fromEntries(
    Array.from({ length: below(6) }, () => [keys[below(keys.length)], valueOf(below, depth + 1)]),
  );
}

it('messages of sockets', { timeout: 60_000 + 20 * count }, async () => {
  const place = makePlace();
  const daemon = await start(place);
  const headers = { cookie: await paired(daemon), origin: daemon.url };
  const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/trpc`, { headers });
  await new Promise((resolve) => socket.once('open', resolve));
  const below = random('malformed', seed).below;
  const answers = new Map<number, string>();
  socket.on('message', (data) => {
    const { id, error, result } = JSON.parse(String(data));
    if (typeof id === 'number') answers.set(id, error?.data?.code ?? JSON.stringify(result));
  });
  const wellFormed = new Set<number>();
  for (let id = 0; id < count; id++) {
    const [path, { _def }] = procedures[below(procedures.length)] as [string, Procedure];
    const input = valueOf(below);
    // What a procedure would take is no malformed message, and is not sent: it would be done.
    const isTaken = _def.inputs.every((schema) => schema.safeParse(input).success);
    if (isTaken) wellFormed.add(id);
    else socket.send(JSON.stringify({ id, method: _def.type, params: { path, input } }));
    if (below(10) === 0) socket.send(['{', 'null', '[]', '{"id":{}}', '"x"', '[1,2]', '\u0000'][below(7)] as string);
    if (id % 50 === 49) await expect.poll(() => answers.size + wellFormed.size, { timeout: 30_000 }).toBe(id + 1);
  }
  const wanted = count - wellFormed.size;
  await expect.poll(() => answers.size, { timeout: 30_000 }).toBe(wanted);
  expect(wanted).toBeGreaterThan(count / 2);
  expect([...new Set(answers.values())]).toEqual(['BAD_REQUEST']);
  expect(socket.readyState).toBe(WebSocket.OPEN);
  expect(said.filter((text) => text.startsWith('defect'))).toEqual([]);
  socket.terminate();
});

const routes = [
  ['GET', '/api/session'],
  ['POST', '/api/pair'],
  ['POST', '/api/signout'],
  ['POST', '/api/uploads'],
  ['PATCH', '/api/uploads/0123456789abcdef0123456789abcdef'],
  ['HEAD', '/api/uploads/0123456789abcdef0123456789abcdef'],
  ['DELETE', '/api/uploads/x'],
  ['GET', '/api/data/rows'],
  ['GET', '/api/runs/steps'],
  ['GET', '/api/runs/comparison'],
  ['GET', '/api/exports/download'],
  ['POST', '/v1/chat/completions'],
  ['POST', '/v1/completions'],
  ['GET', '/v1/models'],
  ['GET', '/v1/models/x'],
  ['GET', '/metrics'],
  ['PUT', '/metrics'],
  ['GET', '/healthz'],
  ['GET', '/'],
  ['POST', '/'],
] as const;

/** What does not look at the rest of a request answers as it does to any. */
const answersAnyway: ReadonlySet<string> = new Set([
  'GET /api/session',
  'POST /api/signout',
  'GET /v1/models',
  'GET /metrics',
  'GET /healthz',
  'GET /',
]);

/** Values of the right form, of things that are not there. */
const wellFormed: Readonly<Record<string, string>> = {
  run: 'project/runs/none',
  steps: '',
  recipe: 'project/none.yaml',
  file: 'project/none.jsonl',
  hub: 'none/none',
  model: 'none',
  mapping: 'datasets.0.type=alpaca',
  filter: 'problem',
  search: 'x',
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');

it('requests of every route', { timeout: 60_000 + 50 * requests }, async () => {
  const daemon = await start(makePlace());
  const cookie = await paired(daemon);
  const below = random('malformed', seed).below;
  const noise = () => encodeURIComponent(String(valueOf(below)).slice(0, 500).toWellFormed());
  const odd: string[] = [];
  for (let request = 0; request < requests; request++) {
    const [method, path] = routes[request % routes.length] as (typeof routes)[number];
    // A name that no route knows is refused before the route is asked.
    const stray = below(8) === 0 ? ['stray'] : [];
    const query = [...namesInQuery(path).filter(() => below(4) > 0), ...stray].map((name) => {
      return `${name}=${below(2) === 0 ? encodeURIComponent(wellFormed[name] ?? '') : noise()}`;
    });
    const length = below(2) === 0 ? String(below(1e6)) : noise();
    const metadata = `filename ${base64(`${noise()}.jsonl`)},folder ${base64(`none/${noise()}`)}`;
    const headers: Record<string, string> = {
      ...(below(4) > 0 && { cookie }),
      ...(below(4) > 0 && { origin: daemon.url }),
      ...(below(6) === 0 && { authorization: `Bearer ${noise()}` }),
      ...(below(4) > 0 && {
        'content-type': path.startsWith('/api/uploads') ? 'application/offset+octet-stream' : 'application/json',
      }),
      ...(below(4) > 0 && { 'tus-resumable': '1.0.0', 'upload-offset': length, 'upload-length': length }),
      ...(below(2) === 0 && { 'upload-metadata': below(2) === 0 ? noise() : metadata, range: `bytes=${noise()}` }),
    };
    const wanted = path === '/api/pair' ? { code: noise() } : { model: noise(), messages: valueOf(below) };
    const value = below(2) === 0 ? wanted : valueOf(below);
    const body = method === 'GET' || method === 'HEAD' ? null : JSON.stringify(value).slice(0, below(4000));
    // Signing out by chance would end what this test is about.
    if (path === '/api/signout') delete headers['cookie'];
    const answer = await fetch(`${daemon.url}${path}?${query.join('&')}`, { method, headers, body });
    const text = await answer.text();
    const asked = `${method} ${path}`;
    const isOpen = answersAnyway.has(asked);
    if (answer.status >= 500 || (answer.status < 400 && !isOpen)) odd.push(`${asked} ${answer.status}`);
    const isRefusedByName = /^\{"error":.*stray/.test(text);
    const hasNames = /^\/(api|v1|metrics)/.test(path);
    if (method !== 'HEAD' && isRefusedByName !== (hasNames && stray.length > 0)) odd.push(`${asked} ${text}`);
  }
  expect(odd).toEqual([]);
  expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
  expect(said.filter((text) => text.startsWith('defect'))).toEqual([]);
});

it('targets and hosts that are no part of a URL', async () => {
  const daemon = await start(makePlace(), { basePath: '/proxy/7420' });
  const { host, hostname, port } = new URL(daemon.url);
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'];
  const statusOf = async (target: string, headers: string[]): Promise<string | undefined> => {
    const socket = connect(Number(port), hostname);
    socket.write(`${[`GET ${target} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`);
    return (await textOf(socket)).split(' ')[1];
  };
  for (const target of ['//', '/proxy//', '/proxy/7420//', '//?', 'http://[', 'http://', '*', '/%', '/trpc/%']) {
    expect([target, await statusOf(target, [`Host: ${host}`, ...upgrade])]).toEqual([
      target,
      expect.stringMatching(/^40[04]$/),
    ]);
  }
  const wrongPort = ['Host: localhost:99999', 'Origin: http://localhost'];
  expect(await statusOf('/trpc', [...wrongPort, ...upgrade])).toBe('403');
  expect(await statusOf('/healthz', [...wrongPort, 'Connection: close'])).toBe('403');
  expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
});
