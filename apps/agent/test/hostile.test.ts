/** What pages of other sites, guessers and packers send to the agent: refused, each in a test. Slow clients have one of their own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import { makePlace, openSocket, type Place, paired, post, start, statusOf, upgradeStatus } from './helpers/daemon.ts';

const routes = [
  ['GET', '/'],
  ['GET', '/_next/static/app.js'],
  ['GET', '/healthz'],
  ['GET', '/metrics'],
  ['GET', '/api/session'],
  ['GET', '/api/data/rows'],
  ['GET', '/api/runs/steps'],
  ['GET', '/api/runs/comparison'],
  ['GET', '/api/exports/download'],
  ['POST', '/api/pair'],
  ['POST', '/api/signout'],
  ['POST', '/api/uploads'],
  ['PATCH', '/api/uploads/0123456789abcdef0123456789abcdef'],
  ['GET', '/v1/models'],
  ['POST', '/v1/chat/completions'],
  ['POST', '/v1/completions'],
] as const;
const sockets = ['/trpc', '/recipes/live'];

/** What the agent keeps of changes. */
function kept(place: Place): unknown {
  const { folder } = new AgentState(place.workspace);
  return [readFileSync(join(folder, 'access.json'), 'utf8'), readdirSync(place.workspace, { recursive: true })];
}

it('DNS rebinding: nothing is answered under a name that is not ours, whatever else says that it is', async () => {
  const daemon = await start(makePlace());
  const cookie = await paired(daemon);
  const { port } = new URL(daemon.url);
  for (const name of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '0.0.0.0', 'localhost.']) {
    const host = `${name}:${port}`;
    const headers = { host, origin: `http://${host}`, cookie, 'x-forwarded-host': `127.0.0.1:${port}` };
    for (const [method, path] of routes)
      expect([path, await statusOf(daemon, path, headers, method)]).toEqual([path, 403]);
    for (const path of sockets) expect([path, await upgradeStatus(daemon, path, headers)]).toEqual([path, 403]);
  }
});

it('foreign Origin: no page of another site, scheme or port is answered', async () => {
  const daemon = await start(makePlace());
  const cookie = await paired(daemon);
  const { port } = new URL(daemon.url);
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1', `http://localhost:${port}`, 'file://']) {
    const headers = { origin, cookie };
    for (const [method, path] of routes)
      expect([path, await statusOf(daemon, path, headers, method)]).toEqual([path, 403]);
    for (const path of sockets) expect([path, await upgradeStatus(daemon, path, headers)]).toEqual([path, 403]);
  }
});

it('CSRF: what a page can make a browser send by itself changes nothing', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const cookie = await paired(daemon);
  const before = kept(place);
  // Links, pictures and frames: no Origin, and the cookie of a browser that heeds no SameSite.
  for (const [, path] of routes) await statusOf(daemon, path, { cookie });
  for (const path of sockets) expect(await upgradeStatus(daemon, path, { cookie })).toBe(401);
  for (const path of ['/trpc/runs.remove', '/trpc/people.remove?input={}', '/trpc/runs.remove?batch=1']) {
    expect(await statusOf(daemon, path, { cookie })).toBe(404);
    expect((await post(daemon, path, {}, { cookie, origin: daemon.url })).status).toBe(404);
  }
  // Forms: they say where they come from, and can send neither JSON nor headers of their own.
  for (const type of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded']) {
    for (const [method, path] of routes.filter(([each]) => each === 'POST')) {
      const headers = { cookie, 'content-type': type };
      expect(await statusOf(daemon, path, { ...headers, origin: 'http://evil.example' }, method)).toBe(403);
      if (path !== '/api/signout') expect(await statusOf(daemon, path, headers, method)).toBeGreaterThanOrEqual(400);
    }
  }
  expect(kept(place)).toEqual(before);
});

it('tokens in addresses open nothing', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('laptop', 'operator');
  const authorization = `Bearer ${token}`;
  expect(await statusOf(daemon, '/v1/models', { authorization })).toBe(200);
  for (const name of ['token', 'access_token', 'api_key', 'key', 'authorization', 'session']) {
    for (const [method, path] of routes.filter(([, each]) => /^\/(?:api|v1|metrics)/.test(each))) {
      const status = await statusOf(daemon, `${path}?${name}=${token}`, {}, method);
      expect([path, status < 400 && path !== '/api/session']).toEqual([path, false]);
    }
    for (const path of sockets)
      expect(await upgradeStatus(daemon, `${path}?${name}=${token}`, { origin: daemon.url })).toBe(401);
  }
  const { host } = new URL(daemon.url);
  expect(await statusOf({ url: `http://x:${token}@${host}` }, '/v1/models', {})).toBe(401);
});

it.each(sockets)('zip bomb: what unpacks to more than a message may have ends its socket (%s)', async (path) => {
  const daemon = await start(makePlace());
  const socket = await openSocket(daemon, await paired(daemon), path);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.send(Buffer.alloc(64 << 20), { compress: true });
  expect(await closed).toBe(1009);
  expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
});

it('zip bomb: a packed body is not unpacked', async () => {
  const daemon = await start(makePlace());
  const answer = await post(daemon, '/api/pair', { code: 'x' }, { 'content-encoding': 'gzip' });
  expect(answer.status).toBe(403); // read as it is: a wrong code
});
