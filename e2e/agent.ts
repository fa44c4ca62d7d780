/** The real agent as a process of its own, with a folder of projects that is removed afterwards. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const anneal = join(import.meta.dirname, '..', 'apps', 'agent', 'bin', 'anneal.mjs');

export class TestAgent {
  readonly workspace: string;
  /** Of models and prepared data: its own, so that what is on this machine does not matter. */
  readonly cache: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;
  #port = 0;
  url = '';
  link = '';

  /**
   * @param environment variables beside those of this process
   * @param options of `anneal serve`
   * @param workspace a folder that is not there yet; by default a temporary one
   */
  constructor(environment: NodeJS.ProcessEnv = {}, options: readonly string[] = [], workspace?: string) {
    if (workspace !== undefined) mkdirSync(workspace);
    this.workspace = workspace ?? mkdtempSync(join(tmpdir(), 'anneal-e2e-'));
    this.cache = join(this.workspace, '.cache');
    this.#options = options;
    const own = {
      XDG_DATA_HOME: join(this.workspace, '.state'),
      ANNEAL_CACHE: this.cache,
      CI: 'true',
      ANNEAL_CALLED_AS: './anneal',
    };
    this.#environment = { ...process.env, ...own, ...environment };
  }

  /** Runs a command of the command line to its end and returns what it prints. */
  run(...args: string[]): string {
    return execFileSync(process.execPath, [anneal, ...args], {
      cwd: this.workspace,
      env: this.#environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /** Starts it; again on the port it had before. @param program and its first arguments, by default `anneal serve` */
  async start(...program: string[]): Promise<void> {
    const begin = program.length > 0 ? program : [anneal, 'serve'];
    const child = spawn(process.execPath, [...begin, '--json', '--port', String(this.#port), ...this.#options], {
      cwd: this.workspace,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = child;
    const [line] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
    ({ url: this.url, link: this.link } = JSON.parse(line));
    this.#port = Number(new URL(this.url).port);
  }

  /** Ends it, by default as a user does. Resolves to its exit code. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.kill(signal);
    const [code] = await once(child, 'exit');
    return code as number | null;
  }

  remove(): void {
    rmSync(this.workspace, { recursive: true, force: true });
  }
}
