// Clients that offer HTTP/2 beside a request, as Java's do (`Upgrade: h2c`), were answered with 404 by the handler of sockets.
import { expect, test } from 'vitest';
import { makePlace, start, statusOf } from '../apps/agent/test/helpers/daemon.ts';

test('a client that offers HTTP/2 beside what it asks for is answered', async () => {
  const daemon = await start(makePlace());
  const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQCAAAAAAIAAAAA' };
  expect(await statusOf(daemon, '/healthz', offer)).toBe(200);
  expect(await statusOf(daemon, '/v1/chat/completions', offer, 'POST')).toBe(401);
});
