import { expect, onTestFinished, test, vi } from 'vitest';
import { agent, connect, signOut } from './connection.ts';

/** The first one closes as soon as it is open; the others answer every question. */
class Socket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  static opened = 0;
  readyState = Socket.CONNECTING;

  constructor() {
    super();
    const isFirst = Socket.opened++ === 0;
    setTimeout(() => {
      this.readyState = isFirst ? Socket.CLOSED : Socket.OPEN;
      this.dispatchEvent(new Event('open'));
      if (isFirst) this.close();
    });
  }

  send(text: string): void {
    if (text === 'PING') return;
    const data = JSON.stringify({ id: JSON.parse(text).id, result: { data: 42 } });
    setTimeout(() => this.dispatchEvent(new MessageEvent('message', { data })));
  }

  close(): void {
    this.readyState = Socket.CLOSED;
    this.dispatchEvent(new CloseEvent('close'));
  }
}

test('a question whose socket closes right after it opened is asked again', async () => {
  vi.stubGlobal('WebSocket', Socket);
  vi.stubGlobal('location', { protocol: 'http:', host: 'localhost' });
  vi.stubGlobal('fetch', async () => Response.json({ paired: true }));
  onTestFinished(() => void vi.unstubAllGlobals());
  await connect();
  const { about } = agent().agent;
  expect(await about.query()).toBe(42);
  await signOut();
});
