/** An agent in this process, on a free port, with a workspace and a page of its own; and clients of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { Role } from '@anneal/core/protocol/roles';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { createTRPCClient, createWSClient, type TRPCClient, wsLink } from '@trpc/client';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type AddressOptions, checkAddress } from '../../src/daemon/address.ts';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.ts';
import type { AppRouter } from '../../src/daemon/router/index.ts';
import { askAgain } from '../../src/remote/askAgain.ts';
import { temporaryFolder } from './anneal.ts';

const page = '<!doctype html><script>start()</script><script src="/app.js"></script>';

/** What agents of this file have logged. */
export const said: string[] = [];

export interface Place {
  workspace: string;
  studio: string;
}

/** Also moves the state of agents to a temporary folder. */
export function makePlace(): Place {
  const folder = temporaryFolder();
  const before = process.env.XDG_DATA_HOME;
  process.env.XDG_DATA_HOME = join(folder, 'state');
  onTestFinished(() => {
    if (before === undefined) delete process.env.XDG_DATA_HOME;
    else process.env.XDG_DATA_HOME = before;
  });
  const place = { workspace: join(folder, 'workspace'), studio: join(folder, 'studio') };
  mkdirSync(join(place.workspace, 'project'), { recursive: true });
  mkdirSync(join(place.studio, '_next', 'static'), { recursive: true });
  writeFileSync(join(place.studio, 'index.html'), page);
  writeFileSync(join(place.studio, '404.html'), page);
  writeFileSync(join(place.studio, '_next', 'static', 'app.js'), 'start = () => {};'.repeat(100));
  return place;
}

export async function start(
  place: Place,
  options: Partial<AddressOptions> & { allowedHosts?: string[]; basePath?: string } = {},
): Promise<Daemon> {
  const { host = '127.0.0.1', port = 0, allowedHosts = [], basePath = '', ...given } = options;
  const address = checkAddress({ host, port, ...given });
  const daemon = await startDaemon({
    address,
    workspace: place.workspace,
    studioFolder: place.studio,
    allowedHosts,
    basePath,
    log: (text) => said.push(text),
  });
  let open = true;
  const close = async () => {
    if (open) await daemon.close();
    open = false;
  };
  onTestFinished(close);
  return { ...daemon, close };
}

export const codeIn = (link: string): string => new URL(link).hash.slice(1);

export function post(daemon: Daemon, path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${daemon.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** The status of an answer. Without fetch, which sets Host by itself. */
export function statusOf(
  daemon: Pick<Daemon, 'url'>,
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(`${daemon.url}${path}`, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}

/** The cookie of a freshly paired browser, as it is sent back. */
export async function paired(daemon: Daemon): Promise<string> {
  return cookieFor(daemon, codeIn(await daemon.pairingLink()));
}

/** The cookie that a browser gets for a code. */
export async function cookieFor(daemon: Daemon, code: string): Promise<string> {
  const answer = await post(daemon, '/api/pair', { code }, { 'user-agent': 'Test/1' });
  if (!answer.ok) throw new Error(await answer.text());
  return (answer.headers.get('set-cookie') as string).split(';')[0] as string;
}

export interface TestClient {
  api: TRPCClient<AppRouter>;
  /** The open sockets, newest last. */
  sockets: WebSocket[];
}

/** Asks again where a studio or `anneal remote` does: on a busy machine a question may take longer than it is held. */
export function client(daemon: Daemon, cookie: string): TestClient {
  const sockets: WebSocket[] = [];
  class Browser extends WebSocket {
    constructor(url: string) {
      super(url, { headers: { cookie, origin: daemon.url } });
      sockets.push(this);
    }
  }
  const socket = createWSClient({
    url: `${daemon.url.replace('http', 'ws')}/trpc`,
    WebSocket: Browser as unknown as typeof globalThis.WebSocket,
    retryDelayMs: () => 50,
    keepAlive: { enabled: false },
  });
  onTestFinished(() => socket.close().catch(() => undefined));
  return { api: createTRPCClient<AppRouter>({ links: [askAgain, wsLink({ client: socket })] }), sockets };
}

/** A client of somebody whom an admin has invited. */
export async function invited(daemon: Daemon, admin: TestClient['api'], name: string, role: Role) {
  const { code } = await admin.people.invite.mutate({ name, role });
  const cookie = await cookieFor(daemon, code);
  return { ...client(daemon, cookie), cookie };
}

/** A socket of a paired browser, without tRPC's client or an editor's. */
export async function openSocket(daemon: Daemon, cookie: string, path = '/trpc', options = {}): Promise<WebSocket> {
  const headers = { cookie, origin: daemon.url };
  const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}${path}`, { headers, ...options });
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve));
  return socket;
}

/** How the agent answers a request for a socket: 101, or the status of its refusal. */
export function upgradeStatus(daemon: Daemon, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}${path}`, { headers });
    socket.once('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode ?? 0);
    });
    socket.once('error', reject);
  });
}

/** A run that this process writes. */
export async function writeRun(place: Place, name = 'first'): Promise<RunDirectory> {
  const run = await RunDirectory.create({
    root: join(place.workspace, 'project', 'runs'),
    name,
    recipeText: 'base_model: model\n',
    resolvedText: 'base_model: /models/small\nadapter: lora\n',
  });
  onTestFinished(() => run.close());
  return run;
}

export function recordStep(run: RunDirectory, step: number, loss: number | null = 1 / step): void {
  run.record({
    type: 'step',
    step,
    epoch: step / 100,
    loss,
    gradNorm: 1,
    learningRate: 1e-4,
    tokens: 512,
    targetTokens: 100,
    tokensPerSecond: 1000,
    milliseconds: 10,
  });
}
