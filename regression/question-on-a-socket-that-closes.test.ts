// A question that waited for a socket which closed right after it opened failed with "Active connection is not open":
// an agent that restarted in that moment ended what somebody followed.
import type { AddressInfo } from 'node:net';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { askAgain } from '../apps/agent/src/remote/askAgain.ts';

const t = initTRPC.create();
const router = t.router({
  answer: t.procedure.query(() => 42),
  count: t.procedure.subscription(async function* () {
    yield* [1, 2, 3];
  }),
});

/** A client whose first socket closes as soon as it is open. */
async function clientOf(links: (typeof askAgain)[]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  applyWSSHandler({ wss: server, router });
  await new Promise((resolve) => server.once('listening', resolve));
  let sockets = 0;
  class Closing extends WebSocket {
    constructor(url: string) {
      super(url);
      if (sockets++ === 0) this.once('open', () => this.terminate());
    }
  }
  const client = createWSClient({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    WebSocket: Closing as unknown as typeof globalThis.WebSocket,
    retryDelayMs: () => 10,
  });
  onTestFinished(async () => {
    await client.close();
    server.close();
  });
  return createTRPCClient<typeof router>({ links: [...(links as never[]), wsLink({ client })] });
}

test('tRPC fails it', async () => {
  const client = await clientOf([]);
  await expect(client.answer.query()).rejects.toThrow('Active connection is not open');
});

test('it is asked again', async () => {
  const client = await clientOf([askAgain]);
  expect(await client.answer.query()).toBe(42);
});

test('what is followed is followed again', async () => {
  const client = await clientOf([askAgain]);
  const heard: number[] = [];
  await new Promise<void>((resolve, reject) => {
    client.count.subscribe(undefined, { onData: (n) => heard.push(n), onComplete: resolve, onError: reject });
  });
  expect(heard).toEqual([1, 2, 3]);
});
