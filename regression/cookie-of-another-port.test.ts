// Of several cookies of one name the first was believed: any page of another port of localhost could set one with a longer path, and the
// browser was signed out until it was cleared.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AgentState } from '../apps/agent/src/daemon/agentState.ts';
import { makePlace, paired, post, start, statusOf, upgradeStatus } from '../apps/agent/test/helpers/daemon.ts';

test('a cookie of our name that a page of another port has set hides no session', async () => {
  const daemon = await start(makePlace());
  const cookie = await paired(daemon);
  const [name] = cookie.split('=');
  const tossed = `${name}=${'x'.repeat(43)}; ${cookie}; ${name}=`;
  expect(await (await fetch(`${daemon.url}/api/session`, { headers: { cookie: tossed } })).json()).toEqual({
    paired: true,
  });
  expect(await statusOf(daemon, '/v1/models', { cookie: tossed })).toBe(200);
  expect(await upgradeStatus(daemon, '/trpc', { cookie: tossed, origin: daemon.url })).toBe(101);
  await post(daemon, '/api/signout', {}, { cookie: tossed });
  expect(await statusOf(daemon, '/v1/models', { cookie: tossed })).toBe(401);
});

test('signing out writes for sessions that hold alone, not for each cookie of somebody who has none', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const cookie = await paired(daemon);
  const [name] = cookie.split('=');
  const path = join(new AgentState(place.workspace).folder, 'access.json');
  const written = () => statSync(path, { bigint: true }).mtimeNs;
  const before = written();
  const { status } = await post(daemon, '/api/signout', {}, { cookie: `${name}=x; ${name}=y` });
  expect([status, written()]).toEqual([200, before]);
  await post(daemon, '/api/signout', {}, { cookie });
  expect(written()).not.toBe(before);
});
