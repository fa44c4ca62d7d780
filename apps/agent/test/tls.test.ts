/** An agent that other machines can reach: by a token, over TLS. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { Daemon } from '../src/daemon/daemon.ts';
import { temporaryFolder } from './helpers/anneal.ts';
import { makeCertificate } from './helpers/certificate.ts';
import { codeIn, makePlace, start } from './helpers/daemon.ts';

const token = randomBytes(32).toString('base64');

async function reachable(): Promise<Daemon> {
  const folder = temporaryFolder();
  const { key, cert } = makeCertificate(folder);
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${token}\n`);
  const options = { host: '0.0.0.0', tokenFile, tlsCert: cert, tlsKey: key, allowedHosts: ['localhost'] };
  return start(makePlace(), options);
}

const asked = { rejectUnauthorized: false } as const;

async function ask(daemon: Daemon, path: string, headers: Record<string, string>, body?: unknown) {
  const method = body === undefined ? 'GET' : 'POST';
  const type = { 'content-type': 'application/json' };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request(`${daemon.url}${path}`, { ...asked, method, headers: { ...type, ...headers } }, resolve);
  sent.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  const answer = await promise;
  return { status: answer.statusCode, headers: answer.headers, text: await textOf(answer) };
}

function socketStatus(daemon: Daemon, headers: Record<string, string>): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const socket = new WebSocket(`${daemon.url.replace('https', 'wss')}/trpc`, { ...asked, headers });
  onTestFinished(() => socket.terminate());
  socket.once('open', () => resolve(101));
  socket.once('unexpected-response', (sent, { statusCode }) => {
    sent.destroy();
    resolve(statusCode);
  });
  socket.once('error', reject);
  return promise;
}

it('is opened by its own token, and by no other', async () => {
  const daemon = await reachable();
  expect(daemon.url).toMatch(/^https:\/\/localhost:/);
  const right = { authorization: `Bearer ${token}` };
  const wrong = { authorization: `Bearer ${randomBytes(32).toString('base64')}` };
  expect((await ask(daemon, '/metrics', right)).status).toBe(200);
  expect((await ask(daemon, '/metrics', wrong)).status).toBe(401);
  expect((await ask(daemon, '/v1/models', right)).status).toBe(200);
  expect((await ask(daemon, '/v1/models', {})).status).toBe(401);
  expect(await socketStatus(daemon, right)).toBe(101);
  expect(await socketStatus(daemon, wrong)).toBe(401);
});

it('gives browsers a cookie that is sent over TLS alone, and takes no page without it', async () => {
  const daemon = await reachable();
  const code = codeIn(await daemon.pairingLink());
  const answer = await ask(daemon, '/api/pair', { origin: daemon.url }, { code });
  const [given] = answer.headers['set-cookie'] as [string];
  expect(given).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
  const cookie = given.split(';')[0] as string;
  expect(await socketStatus(daemon, { cookie, origin: daemon.url })).toBe(101);
  expect(await socketStatus(daemon, { cookie, origin: daemon.url.replace('https', 'http') })).toBe(403);
  const [ended] = (await ask(daemon, '/api/signout', { cookie, origin: daemon.url }, {})).headers['set-cookie'] ?? [];
  expect(ended).toMatch(/Max-Age=0; .*; Secure$/);
});
