/** Clients that send a byte a second are closed, and hold nobody up. Half a minute, nearly all of it waiting. */
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { makePlace, start } from './helpers/daemon.ts';

const body = ['Content-Type: application/json', 'Content-Length: 4000', '', '{'];

it('headers and bodies that come by the byte', async () => {
  const daemon = await start(makePlace());
  const { host, hostname, port } = new URL(daemon.url);
  const statusOf = async (target: string, lines: string[]): Promise<string | undefined> => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined); // a byte that is sent when the agent has closed
    socket.write([target, `Host: ${host}`, ...lines].join('\r\n'));
    const drip = setInterval(() => socket.writable && socket.write('a'), 1000);
    onTestFinished(() => clearInterval(drip));
    return (await textOf(socket)).split(' ')[1];
  };
  const ended = Promise.all([
    statusOf('GET / HTTP/1.1', ['X-Slow: ']),
    statusOf('POST /api/pair HTTP/1.1', body),
    statusOf('POST /v1/chat/completions HTTP/1.1', body),
  ]);
  expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
  // Who has no token is told at once.
  expect(await ended).toEqual(['408', '408', '401']);
  expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
});
