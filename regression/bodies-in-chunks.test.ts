// A body that came in chunks, as clients and proxies send one whose length they do not know, was answered with 500, and so was any
// other method at an address below /api: Hono's limit of bodies makes a new Request of the server's own, which cannot be done.
import { request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Daemon } from '../apps/agent/src/daemon/daemon.ts';
import { codeIn, makePlace, paired, said, start, statusOf } from '../apps/agent/test/helpers/daemon.ts';

function sendInChunks(
  daemon: Daemon,
  path: string,
  parts: string[],
  headers = {},
): Promise<[number | undefined, unknown]> {
  return new Promise((resolve, reject) => {
    const sent = request(`${daemon.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
    });
    sent.once('response', async (answer) => resolve([answer.statusCode, JSON.parse(await textOf(answer))]));
    sent.once('error', reject);
    for (const part of parts) sent.write(part);
    sent.end();
  });
}

test('are read, and bounded as others', async () => {
  const daemon = await start(makePlace());
  const code = codeIn(await daemon.pairingLink());
  expect(await sendInChunks(daemon, '/api/pair', ['{"code":', `"${code}"}`])).toEqual([200, { paired: true }]);
  expect(await sendInChunks(daemon, '/api/pair', ['{', ' '.repeat(5000)])).toMatchObject([
    413,
    { error: { code: 'body_too_large' } },
  ]);
  const headers = { cookie: await paired(daemon), origin: daemon.url };
  const asked = ['{"model":"none",', '"messages":[{"role":"user","content":"a"}]}'];
  expect(await sendInChunks(daemon, '/v1/chat/completions', asked, headers)).toMatchObject([
    404,
    { error: { code: 'model_not_found' } },
  ]);
  const large = Array.from({ length: 9 }, () => ' '.repeat(1 << 20));
  expect(await sendInChunks(daemon, '/v1/completions', large, headers)).toMatchObject([
    413,
    { error: { code: 'body_too_large' } },
  ]);
});

test.each(['OPTIONS', 'PROPFIND', 'QUERY', 'TRACE', 'PUT'])('%s is at no address of the agent', async (method) => {
  const daemon = await start(makePlace());
  for (const path of ['/', '/api/session', '/api/pair', '/api/data/rows', '/metrics']) {
    expect([path, await statusOf(daemon, path, {}, method)]).toEqual([path, 404]);
  }
  expect(said.filter((text) => text.startsWith('defect'))).toEqual([]);
});
