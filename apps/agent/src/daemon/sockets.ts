/** The sockets of clients: who may open one is decided before the upgrade, and one that does not read is closed. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { UserError } from '@anneal/core/errors';
import type { Person } from '@anneal/core/protocol/people';
import { type Role, reaches } from '@anneal/core/protocol/roles';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Access, tokenHolder } from './auth/access.ts';
import { sessionsIn } from './cookies.ts';
import { Pace } from './pace.ts';
import type { RequestCheck } from './requestCheck.ts';
import { appRouter } from './router/index.ts';
import type { Agent, SocketCaller } from './router/trpc.ts';
import { sharedEncoder } from './sharedEncoder.ts';

/** A request of a client: a recipe, and its frame. */
const largestMessage = 1 << 20;
/**
 * What may wait for a client at two looks, before it counts as one that does not read. It is closed, and catches up when it is back.
 */
const mostWaiting = 1 << 20;
const lookEveryMilliseconds = 1000;
/** What is asked is answered within ten seconds; a client that asks on and on always waits for something. */
const mostLooks = 10;
/** Proxies close what is silent for 30 seconds or more. A client that has not answered by the next ping is gone. */
const pingEveryMilliseconds = 25_000;

interface SocketOptions {
  agent: Agent;
  access: Access;
  check: RequestCheck;
  log: (text: string) => void;
}

export class Sockets {
  readonly #options: SocketOptions;
  readonly #servers: ReadonlyMap<string, WebSocketServer>;
  readonly #callers = new Map<
    WebSocket,
    SocketCaller & {
      role: Role | undefined;
      /** How often it was seen waiting for an answer since somebody gave it another role. */
      looks: number;
      /** Bytes that waited for it at the last look. */
      waited: number;
    }
  >();
  readonly #requests = new WeakMap<IncomingMessage, SocketCaller>();
  readonly #trpc: ReturnType<typeof applyWSSHandler>;
  readonly #look: NodeJS.Timeout;

  constructor(options: SocketOptions) {
    this.#options = options;
    const [trpc, recipes] = [socketServer(), socketServer()];
    this.#servers = new Map([
      ['/trpc', trpc],
      ['/recipes/live', recipes],
    ]);
    this.#trpc = applyWSSHandler({
      wss: trpc,
      router: appRouter,
      experimental_encoder: sharedEncoder,
      createContext: ({ req }) => {
        const caller = this.#requests.get(req);
        if (!caller) throw new Error('a socket was opened past the upgrade');
        return { agent: options.agent, pace: new Pace(), caller };
      },
      onError: ({ error, path }) => {
        if (error.code !== 'INTERNAL_SERVER_ERROR' || isExpected(error.cause)) return;
        if (isOfFrames(error.cause)) return options.log(`closed a socket: ${error.cause?.message}`);
        options.log(`defect in ${path ?? 'a socket'}: ${error.cause?.stack ?? error.stack}`);
      },
    });
    recipes.on('connection', (client: WebSocket, request: IncomingMessage) => {
      const role = this.#requests.get(request)?.person()?.role ?? 'viewer';
      options.agent.documents.connect(client, request, { readOnly: !reaches(role, 'editor') });
    });
    this.#look = setInterval(() => {
      this.#closeStalled();
      this.#closeChanged();
    }, lookEveryMilliseconds);
    this.#look.unref();
  }

  /** The one handler of `upgrade`: every socket of this port comes by here. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const [path = ''] = (request.url ?? '').split('?'); // of anybody: not every target is a URL
    const server = this.#servers.get(path);
    if (!server) return refuse(socket, '404 Not Found');
    const { agent, access, check, log } = this.#options;
    const refusal = check.refusal(request);
    if (refusal) {
      log(`refused a socket: ${refusal}`);
      return refuse(socket, '403 Forbidden');
    }
    const session = access.sessionAmong(sessionsIn(request.headers.cookie, agent.id));
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const asked = { unanswered: { count: 0 }, subscriptions: { count: 0 }, late: new Map() };
    // A cookie comes from a browser, which always says from which page it asks.
    const isBrowser = session !== undefined && request.headers.origin !== undefined;
    const caller: SocketCaller = isBrowser
      ? { session, ...asked, person: () => access.personOf(session) }
      : { session: undefined, ...asked, person: () => (bearer === undefined ? undefined : this.#holderOf(bearer)) };
    if (!caller.person()) return refuse(socket, '401 Unauthorized');
    server.handleUpgrade(request, socket, head, (client) => {
      this.#requests.set(request, caller);
      this.#callers.set(client, { ...caller, role: caller.person()?.role, looks: 0, waited: Number.POSITIVE_INFINITY });
      client.once('close', () => this.#callers.delete(client));
      client.on('error', () => client.terminate());
      keepAlive(client);
      server.emit('connection', client, request);
    });
  }

  /** Closes what was opened with a session that has ended. */
  endSession(token: string): void {
    for (const [client, { session }] of this.#callers) if (session === token) client.close(4401, 'signed out');
  }

  /** Whoever has the agent's own token, or one of a program that has a role. */
  #holderOf(secret: string): Person | undefined {
    const { access, agent } = this.#options;
    return access.isToken(secret) ? tokenHolder : agent.tokens.personOf(secret);
  }

  /** Asks the clients to come back to the next agent, and lets nobody in any more. */
  close(): void {
    clearInterval(this.#look);
    this.#trpc.broadcastReconnectNotification();
    for (const client of this.#callers.keys()) client.close(1001, 'the agent ends');
    for (const server of this.#servers.values()) server.close();
  }

  /** Nobody waits for those who do not answer. */
  terminate(): void {
    for (const client of this.#callers.keys()) client.terminate();
  }

  /**
   * Who has another role comes back with it, once they know what became of what they have asked, or have waited long enough;
   * who has been signed out does not. What a role may is looked up at each call.
   */
  #closeChanged(): void {
    for (const [client, caller] of this.#callers) {
      const now = caller.person()?.role;
      if (now === caller.role) caller.looks = 0;
      else if (now === undefined) client.close(4401, 'signed out');
      else if (caller.unanswered.count === 0 || ++caller.looks > mostLooks) client.close(4403, 'another role');
    }
  }

  #closeStalled(): void {
    for (const [client, caller] of this.#callers) {
      const waiting = client.bufferedAmount;
      if (waiting > mostWaiting && waiting >= caller.waited) client.terminate();
      caller.waited = waiting > mostWaiting ? waiting : Number.POSITIVE_INFINITY;
    }
  }
}

const socketServer = () =>
  new WebSocketServer({
    noServer: true,
    maxPayload: largestMessage,
    // Lists of thousands of runs come through a slow line so. What is short and often is not worth it.
    perMessageDeflate: { threshold: 32 << 10, serverNoContextTakeover: true, clientNoContextTakeover: true },
  });

function keepAlive(client: WebSocket): void {
  let hasAnswered = true;
  const timer = setInterval(() => {
    if (!hasAnswered) return client.terminate();
    hasAnswered = false;
    client.ping();
  }, pingEveryMilliseconds);
  client.on('pong', () => {
    hasAnswered = true;
  });
  client.once('close', () => clearInterval(timer));
}

/** What happens to a client that goes away in the middle of something. */
function isExpected(cause: Error | undefined): boolean {
  return cause instanceof UserError || cause?.name === 'AbortError';
}

/** What a client has sent is no message, or too large a one: the library has closed the socket. */
function isOfFrames(cause: Error | undefined): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.code?.startsWith('WS_ERR_') ?? false;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
