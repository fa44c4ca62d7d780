/** An agent in a process of its own on loopback, with a folder of projects that is removed afterwards, and clients of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTRPCClient, createWSClient, type TRPCClient, wsLink } from '@trpc/client';
import { WebSocket } from 'ws';
import type { AppRouter } from '../apps/agent/src/daemon/router/index.ts';
import { askAgain } from '../apps/agent/src/remote/askAgain.ts';

export const anneal = join(import.meta.dirname, '..', 'apps', 'agent', 'bin', 'anneal.mjs');

export interface Client {
  api: TRPCClient<AppRouter>;
  /** The socket that is open now. */
  socket(): WebSocket;
  /** Bytes of all messages received. */
  received(): number;
  close(): Promise<void>;
}

export class BenchAgent {
  readonly workspace = mkdtempSync(join(tmpdir(), 'anneal-bench-'));
  readonly environment: NodeJS.ProcessEnv = { ...process.env, XDG_DATA_HOME: join(this.workspace, '.state') };
  #process: ChildProcess | undefined;
  #port = 0;
  url = '';
  link = '';
  cookie = '';
  readonly #endAll = (): void => {
    for (const pid of processesOf(this.workspace).keys()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended in this moment.
      }
    }
    rmSync(this.workspace, { recursive: true, force: true });
  };

  constructor() {
    // However the script ends: an error in a callback, or somebody who ends it.
    process.once('exit', this.#endAll);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  }

  /** Starts it, again on the port it had before, and pairs. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [anneal, 'serve', '--json', '--port', String(this.#port)], {
      cwd: this.workspace,
      env: this.environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    let said = '';
    for await (const line of createInterface(child.stdout as NodeJS.ReadableStream)) {
      said += line;
      if (line.startsWith('{"')) break; // an error is written over several lines
    }
    const { error, url, link } = JSON.parse(said || '{}');
    if (!url) throw new Error(`the agent did not start: ${JSON.stringify(error)}`);
    [this.url, this.link] = [url, link];
    this.#port = Number(new URL(this.url).port);
    if (this.cookie !== '') return;
    const answer = await fetch(`${this.url}/api/pair`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: new URL(this.link).hash.slice(1) }),
    });
    this.cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.end();
    process.off('exit', this.#endAll);
    this.#endAll();
  }

  get pid(): number {
    return this.#process?.pid as number;
  }

  /** A paired client with a socket of its own, which says where it comes from as a browser does. */
  client(): Client {
    const { url, cookie } = this;
    let received = 0;
    const opened: WebSocket[] = [];
    class Browser extends WebSocket {
      constructor(address: string) {
        super(address, { headers: { cookie, origin: url }, perMessageDeflate: false });
        opened.push(this);
        this.on('message', (data: Buffer) => {
          received += data.length;
        });
      }
    }
    const socket = createWSClient({
      url: `${url.replace('http', 'ws')}/trpc`,
      WebSocket: Browser as unknown as typeof globalThis.WebSocket,
    });
    return {
      api: createTRPCClient<AppRouter>({ links: [askAgain, wsLink({ client: socket })] }),
      socket: () => opened.at(-1) as WebSocket,
      received: () => received,
      close: () => socket.close(),
    };
  }

  /** Processor time so far, in seconds, from Linux' proc file system. */
  get processorSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Bytes in memory. */
  get memory(): number {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]);
  }
}

/** Processes whose command lines name a folder, by number, from Linux' proc file system. */
export function processesOf(folder: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (line.includes(folder)) found.set(Number(pid), line);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Values of a sorted copy at shares between 0 and 1. */
export function percentiles(values: readonly number[]): { p50: number; p95: number; p99: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

export function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
