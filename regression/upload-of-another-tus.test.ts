/** A version of tus that the agent does not speak was answered with 400, by which a client could not tell that it may speak another. */
import { expect, it } from 'vitest';
import { makePlace, paired, start } from '../apps/agent/test/helpers/daemon.ts';

it.each([['0.2.2'], ['2.0.0'], [undefined]])(
  'Tus-Resumable %s is answered with 412 and with what it speaks',
  async (version) => {
    const daemon = await start(makePlace());
    const headers = { cookie: await paired(daemon), origin: daemon.url, ...(version && { 'tus-resumable': version }) };
    const id = '0'.repeat(32);
    for (const [method, path] of [
      ['POST', '/api/uploads'],
      ['HEAD', `/api/uploads/${id}`],
      ['PATCH', `/api/uploads/${id}`],
      ['DELETE', `/api/uploads/${id}`],
    ] as const) {
      const answer = await fetch(`${daemon.url}${path}`, { method, headers });
      expect([method, answer.status, answer.headers.get('tus-version')]).toEqual([method, 412, '1.0.0']);
    }
  },
);
