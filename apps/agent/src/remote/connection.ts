/** The socket to another agent: the procedures of the studio, opened with a token. */
import { UserError } from '@anneal/core/errors';
import { createTRPCClient, createWSClient, type TRPCClient, TRPCClientError, wsLink } from '@trpc/client';
import { WebSocket } from 'ws';
import type { AppRouter } from '../daemon/router/index.ts';
import { reporting } from '../service/reporting.ts';
import type { RemoteAddress } from './address.ts';
import { askAgain } from './askAgain.ts';
import { connectionError, refusedSocket } from './connectionErrors.ts';

/** What a subscription tells, as tRPC hands it on. */
export interface Listener<T> {
  onData(data: T): void;
  onError(error: unknown): void;
  onComplete(): void;
}
type Api = TRPCClient<AppRouter>;
type Subscribe<T> = (api: Api, listener: Listener<T>) => { unsubscribe(): void };

export interface Connection {
  readonly address: RemoteAddress;
  /** Asks for one thing, or for one change. @throws UserError as the agent gives it */
  ask<T>(question: (api: Api) => Promise<T>): Promise<T>;
  /** What is subscribed to, until it ends or nobody listens any more. @throws UserError as the agent gives it */
  listen<T>(subscribe: Subscribe<T>): AsyncGenerator<T, void>;
  /** The first of it. */
  first<T>(subscribe: Subscribe<T>): Promise<T>;
  close(): Promise<void>;
}

/** An agent that restarts is back sooner. */
const patienceMilliseconds = 30_000;
const retryMilliseconds = 500;

/** @throws UserError `remote_not_reached`, `remote_certificate`, `remote_refused` */
export async function connect(address: RemoteAddress): Promise<Connection> {
  const lost = new AbortController();
  const opened = Promise.withResolvers<void>();
  let openAt = 0;
  let trouble: UserError | undefined;
  class Socket extends WebSocket {
    constructor(url: string) {
      super(url, { headers: { authorization: `Bearer ${address.token}` }, ...(address.ca && { ca: address.ca }) });
      this.once('open', () => {
        openAt = Date.now();
        opened.resolve();
      });
      this.once('close', () => {
        openAt = Date.now();
      });
      this.once('unexpected-response', (request, { statusCode = 0 }) => {
        fail(refusedSocket(address.url, statusCode));
        request.destroy();
      });
      this.on('error', (error) => fail(connectionError(address.url, error)));
    }
  }
  const fail = (error: UserError) => {
    trouble ??= error;
    opened.reject(trouble);
    if (Date.now() - openAt > patienceMilliseconds) lost.abort(trouble);
  };
  const client = createWSClient({
    url: socketUrl(address.url),
    WebSocket: Socket as unknown as typeof globalThis.WebSocket,
    retryDelayMs: () => retryMilliseconds,
    keepAlive: { enabled: true, intervalMs: 20_000, pongTimeoutMs: 8000 },
  });
  const close = () => client.close().catch(() => undefined);
  await opened.promise.catch((error) => {
    void close(); // it would wait for a socket that never opens
    throw error;
  });
  trouble = undefined;
  const api = createTRPCClient<AppRouter>({ links: [askAgain, wsLink({ client })] });
  const listen = <T>(subscribe: Subscribe<T>): AsyncGenerator<T, void> =>
    reporting<T, void>((report, left) => {
      const ended = Promise.withResolvers<void>();
      const subscription = subscribe(api, { onData: report, onError: ended.reject, onComplete: ended.resolve });
      const stop = AbortSignal.any([left, lost.signal]);
      stop.addEventListener('abort', () => ended.reject(stop.reason), { once: true });
      return ended.promise.finally(() => subscription.unsubscribe()).catch((error) => Promise.reject(errorOf(error)));
    });
  return {
    address,
    ask: (question) => question(api).catch((error) => Promise.reject(errorOf(error))),
    listen,
    async first(subscribe) {
      for await (const value of listen(subscribe)) return value;
      throw new Error('a subscription ended without a word');
    },
    close,
  };
}

function socketUrl({ protocol, host, pathname }: URL): string {
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${pathname.replace(/\/$/, '')}/trpc`;
}

function errorOf(error: unknown): unknown {
  if (!(error instanceof TRPCClientError)) return error;
  const { error: told } = (error.data ?? {}) as { error?: ConstructorParameters<typeof UserError>[0] | null };
  if (told) return new UserError(told);
  if ((error.data as { code?: string } | null | undefined)?.code === 'NOT_FOUND') {
    return new UserError({
      what: `the agent does not know how to do that: it is of another version than this program (${error.message})`,
      next: 'see `anneal --version` on both machines, and install the same there and here',
      code: 'remote_other_version',
      cause: error,
    });
  }
  return new UserError({
    what: `the agent could not do that: ${error.message}`,
    next: 'what it is stands in its output; both sides have to be of the same version',
    code: 'remote_failed',
    cause: error,
  });
}
