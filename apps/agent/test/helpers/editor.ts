/** Somebody who has a recipe open, as a browser has. */
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import type { Daemon } from '../../src/daemon/daemon.ts';

export interface TestEditor {
  text: Y.Text;
  provider: HocuspocusProvider;
  /** Why it was not let in. */
  refusal: Promise<string>;
  synced: Promise<void>;
  leave(): void;
}

export function openEditor(
  daemon: Pick<Daemon, 'url'>,
  cookie: string,
  document: string,
  { name = 'Ada', doc = new Y.Doc() }: { name?: string; doc?: Y.Doc } = {},
): TestEditor {
  class Browser extends WebSocket {
    constructor(url: string) {
      super(url, { headers: { cookie, origin: daemon.url } });
      this.on('error', () => undefined);
    }
  }
  const socket = new HocuspocusProviderWebsocket({
    url: `${daemon.url.replace('http', 'ws')}/recipes/live`,
    WebSocketPolyfill: Browser,
    delay: 50,
    minDelay: 50,
    maxDelay: 200,
  });
  const refused = Promise.withResolvers<string>();
  const synced = Promise.withResolvers<void>();
  const provider = new HocuspocusProvider({
    websocketProvider: socket,
    name: document,
    document: doc,
    onSynced: () => synced.resolve(),
    onAuthenticationFailed: ({ reason }) => refused.resolve(reason),
  });
  provider.attach();
  provider.setAwarenessField('user', { name, color: 1 });
  let left = false;
  const leave = () => {
    if (left) return;
    left = true;
    provider.destroy();
    socket.destroy();
  };
  onTestFinished(leave);
  return { text: doc.getText('recipe'), provider, refusal: refused.promise, synced: synced.promise, leave };
}
