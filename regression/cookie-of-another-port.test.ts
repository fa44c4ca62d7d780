// Of several cookies of one name the first was believed: any page of another port of localhost could set one with a longer path, and the
// browser was signed out until it was cleared.
import { expect, test } from 'vitest';
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
