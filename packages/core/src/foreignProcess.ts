import { type ChildProcess, fork } from 'node:child_process';
import { childEnvironment } from './childEnvironment.ts';

const STDERR_CHARACTERS = 10_000;
/** What libraries read besides: how many threads they may use, and where compiled code is kept. Nothing of the network. */
const ALSO = ['RAYON_NUM_THREADS', 'TOKENIZERS_PARALLELISM', 'NODE_COMPILE_CACHE'];

interface Pending {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

interface Errors {
  /** The library refused a request, and goes on. */
  refused(message: string): Error;
  /** Its process ended, or gave no answer in time. */
  failed(reason: string): Error;
}

/** The file of a process beside the module `url`: of the sources, or of the bundle made from them. */
export const processBeside = (url: string, name: string): URL =>
  new URL(`./${name}.${url.endsWith('.ts') ? 'ts' : 'js'}`, url);

/**
 * A library in a process of its own, where a crash of it is an error. Requests are answered in order by `answerRequests` there. It ends
 * with this process, which it keeps alive only while an answer is awaited.
 */
export class ForeignProcess {
  readonly #child: ChildProcess;
  readonly #errors: Errors;
  #awaited = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #pending: Pending | undefined;
  #messages = '';

  constructor(script: URL, errors: Errors) {
    this.#errors = errors;
    const child = fork(script, {
      serialization: 'advanced',
      execArgv: [],
      env: childEnvironment(ALSO),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#messages = (this.#messages + text).slice(-STDERR_CHARACTERS);
    });
    child.on('error', (error) => this.#fail(error.message));
    child.on('close', (_, signal) => this.#fail(panicIn(this.#messages) ?? endedBy(signal)));
    child.on('message', ({ answer, refusal }: { answer?: unknown; refusal?: string }) => {
      const pending = this.#settle();
      if (refusal === undefined) pending?.resolve(answer);
      else pending?.reject(errors.refused(refusal));
    });
    this.#hold(false);
  }

  get isRunning(): boolean {
    return this.#child.connected && !this.#child.killed;
  }

  /** An answer is awaited. */
  get isBusy(): boolean {
    return this.#awaited > 0;
  }

  /** @param patience milliseconds, after which the process is ended; without it an answer may take any time */
  ask(request: object, patience?: number): Promise<unknown> {
    this.#awaited++;
    const answer = this.#queue.then(() => this.#send(request, patience)).finally(() => this.#awaited--);
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  async #send(request: object, patience: number | undefined): Promise<unknown> {
    const child = this.#child;
    if (!this.isRunning) throw this.#errors.failed(endedBy(child.signalCode));
    this.#hold(true);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending = { resolve, reject };
    const late = (): void => {
      this.#fail(`no answer within ${Math.round((patience as number) / 1000)} s`);
      this.end();
    };
    const timer = patience === undefined ? undefined : setTimeout(late, patience);
    child.send(request, (error) => {
      // The exit says more than that the channel is closed.
      if (error && child.connected) this.#settle()?.reject(error);
    });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#hold(false);
    }
  }

  #fail(reason: string): void {
    this.#settle()?.reject(this.#errors.failed(reason));
  }

  #settle(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }

  #hold(held: boolean): void {
    const { channel, stderr } = this.#child;
    const handles = [this.#child, channel, stderr] as unknown as ({ ref(): void; unref(): void } | null)[];
    for (const handle of handles) handle?.[held ? 'ref' : 'unref']();
  }
}

/** The other side: answers what `ForeignProcess` asks, until the process that started this one ends. */
export function answerRequests<Request>(answerTo: (request: Request) => Promise<unknown>): void {
  process.on('message', async (request: Request) => {
    try {
      process.send?.({ answer: await answerTo(request) });
    } catch (error) {
      process.send?.({ refusal: error instanceof Error ? error.message : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches everything in a terminal; what it means is for the process that started this one to say.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
}

/** What Rust prints of a panic: a line with the place in the source, then the message. */
const panicIn = (messages: string): string | undefined => /panicked at [^\n]*\n([^\n]*)/.exec(messages)?.[1];

const endedBy = (signal: NodeJS.Signals | null): string => `its process ended${signal === null ? '' : ` (${signal})`}`;
