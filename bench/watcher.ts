/** A client of a run's event stream, as light as one can be, so that the processor is left to what is measured. */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { BenchAgent } from './agent.ts';

export class Watcher {
  seq = 0;
  /** Every event came, once and in its place. */
  isWhole = true;
  messages = 0;
  delays: number[] = [];
  wasClosed = false;
  readonly #agent: BenchAgent;
  readonly #run: string;
  #socket: WebSocket;

  private constructor(agent: BenchAgent, run: string) {
    this.#agent = agent;
    this.#run = run;
    this.#socket = this.#connect();
  }

  static async open(agent: BenchAgent, run: string): Promise<Watcher> {
    const watcher = new Watcher(agent, run);
    await once(watcher.#socket, 'open');
    return watcher;
  }

  pause(): void {
    this.#socket.pause();
  }

  reset(): void {
    this.messages = 0;
    this.delays = [];
  }

  /** Reads again, on a new socket where the agent has closed this one, until the event `seq` is there. */
  async catchUp(seq: number): Promise<boolean> {
    this.#socket.resume();
    for (let patience = 0; this.seq < seq && patience < 100; patience++) {
      await wait(100);
      if (this.#socket.readyState < WebSocket.CLOSING) continue;
      this.wasClosed = true;
      this.#socket = this.#connect();
    }
    return this.seq >= seq && this.isWhole;
  }

  close(): void {
    this.#socket.terminate();
  }

  #connect(): WebSocket {
    const { url, cookie } = this.#agent;
    const address = `${url.replace('http', 'ws')}/trpc`;
    const headers = { cookie, origin: url };
    const socket = new WebSocket(address, { headers, perMessageDeflate: false, skipUTF8Validation: true });
    const input = { run: this.#run, after: this.seq };
    socket.once('open', () =>
      socket.send(JSON.stringify({ id: 1, method: 'subscription', params: { path: 'runs.events', input } })),
    );
    socket.on('message', (data: Buffer) => this.#read(String(data)));
    socket.on('error', () => undefined); // a closed socket is looked at in `catchUp`
    return socket;
  }

  #read(message: string): void {
    const now = Date.now();
    const events: { seq: number; time: string; type: string }[] = JSON.parse(message).result?.data?.data?.events ?? [];
    if (events.length > 0) this.messages++;
    for (const { seq, time, type } of events) {
      this.isWhole &&= seq === this.seq + 1;
      this.seq = seq;
      if (type === 'step') this.delays.push(now - Date.parse(time));
    }
  }
}
