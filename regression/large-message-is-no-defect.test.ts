/** A message that was too large, or no message at all, was told as a defect of the agent, with a stack of it. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { makePlace, paired, said, start } from '../apps/agent/test/helpers/daemon.ts';

it('what is no message ends its socket with a line in the output', async () => {
  const daemon = await start(makePlace());
  const cookie = await paired(daemon);
  const open = async () => {
    const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/trpc`, {
      headers: { cookie, origin: daemon.url },
    });
    socket.on('error', () => undefined);
    let line: Socket | undefined;
    socket.once('upgrade', (answer) => {
      line = answer.socket;
    });
    await once(socket, 'open');
    return { socket, line };
  };
  const large = await open();
  large.socket.send('x'.repeat(2 << 20));
  expect((await once(large.socket, 'close'))[0]).toBe(1009);
  const broken = await open();
  broken.line?.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  await once(broken.socket, 'close');
  expect(said).toEqual([expect.stringContaining('closed a socket: '), expect.stringContaining('closed a socket: ')]);
});
