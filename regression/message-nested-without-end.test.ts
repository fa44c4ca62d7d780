// A message of the socket nested 400,000 deep ended in a stack overflow where its input was written into the audit: the refusal or
// the change was not recorded, and looked like a defect. What a tool of /v1 was described by went on to the model's process.
import { expect, test } from 'vitest';
import { makePlace, openSocket, paired, said, start } from '../apps/agent/test/helpers/daemon.ts';

test('what is nested without end is refused before anything walks through it', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const cookie = await paired(daemon);
  said.length = 0;
  const nested = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
  const socket = await openSocket(daemon, cookie);
  const told = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
  // The input of a change goes into the audit.
  socket.send(`{"id":1,"method":"mutation","params":{"path":"runs.note","input":${nested}}}`);
  expect(JSON.parse(await told).error.data.error).toMatchObject({
    code: 'invalid_json',
    what: expect.stringContaining('deeper than 64'),
  });
  const answer = await fetch(`${daemon.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { cookie, origin: daemon.url, 'content-type': 'application/json' },
    body: `{"model":"x","messages":[{"role":"user","content":"a"}],"tools":${nested}}`,
  });
  expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 'invalid_json' } }]);
  expect(said.filter((text) => text.startsWith('defect'))).toEqual([]);
});
