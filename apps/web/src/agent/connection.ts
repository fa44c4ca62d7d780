/** The one socket to the agent, and what is known of it. */
import { askAgainWhen } from '@anneal/core/protocol/askAgain';
import {
  createTRPCClient,
  createWSClient,
  retryLink,
  type TRPCClient,
  type TRPCWebSocketClient,
  wsLink,
} from '@trpc/client';
import type { AppRouter } from '../../../agent/src/daemon/router/index.ts';
import { agentPath, socketUrl } from './paths.ts';
import { createStore } from './store.ts';

/**
 * `checking`: whether this browser is paired is being asked. `lost`: the agent cannot be reached; what is shown may be
 * old, and the socket comes back by itself.
 */
export type ConnectionState = 'checking' | 'unpaired' | 'connecting' | 'open' | 'lost';

const state = createStore<ConnectionState>('checking');
export const connectionState = state.read;

const longestWaitMilliseconds = 5000;

let socket: TRPCWebSocketClient | undefined;
let client: TRPCClient<AppRouter> | undefined;

/** The agent's procedures, once this browser is paired. */
export function agent(): TRPCClient<AppRouter> {
  if (!client) throw new Error('asked before the browser was paired');
  return client;
}

/** Asks whether this browser is paired, and opens the socket where it is. */
export async function connect(): Promise<void> {
  const paired = await isPaired();
  if (paired === undefined) {
    state.set('lost');
    setTimeout(connect, 1000);
  } else if (paired) open();
  else state.set('unpaired');
}

/** Trades a pairing code for a session. Returns the agent's error where it refuses. */
export async function pair(code: string): Promise<{ code: string; what: string; next?: string } | undefined> {
  const answer = await fetch(agentPath('/api/pair'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  const { error } = await answer.json();
  if (!error) open();
  return error;
}

/** Ends the session of this browser. */
export async function signOut(): Promise<void> {
  await fetch(agentPath('/api/signout'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  endSession();
}

function open(): void {
  if (socket) return;
  state.set('connecting');
  socket = createWSClient({
    url: socketUrl('/trpc'),
    retryDelayMs: (attempt) => Math.min(longestWaitMilliseconds, 250 * 2 ** attempt),
    keepAlive: { enabled: true, intervalMs: 20_000, pongTimeoutMs: 8000 },
  });
  client = createTRPCClient<AppRouter>({ links: [retryLink(askAgainWhen), wsLink({ client: socket })] });
  let wasOpen = false;
  socket.connectionState.subscribe({
    next: async (now) => {
      if (now.state === 'pending') {
        wasOpen = true;
        state.set('open');
        return;
      }
      if (now.state !== 'connecting' || !(wasOpen || now.error)) return;
      state.set('lost');
      // A socket that is refused does not say why.
      if ((await isPaired()) === false) endSession();
    },
  });
}

function endSession(): void {
  void socket?.close();
  socket = undefined;
  client = undefined;
  state.set('unpaired');
}

/** Undefined where the agent does not answer. */
async function isPaired(): Promise<boolean | undefined> {
  try {
    const answer = await fetch(agentPath('/api/session'));
    return ((await answer.json()) as { paired: boolean }).paired;
  } catch {
    return undefined;
  }
}
