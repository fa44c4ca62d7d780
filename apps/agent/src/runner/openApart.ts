/** Something opened in a process of its own and used there until it is closed: a loaded model, a data set. */
import type { ChildProcess } from 'node:child_process';
import type { Context } from '../service/context.ts';
import type { OpenableName, OpenedOf, OpenProgressOf, OpenRequestOf } from '../service/openables.ts';
import { reporting } from '../service/reporting.ts';
import type { ProgressIn, ResultIn } from '../service/useCases.ts';
import { died, errorOf, exitOf, patienceMilliseconds, send, startApart } from './apart.ts';
import type { OpenedMessage, OpenerMessage } from './openedProcess.ts';

type AnyMethod = (request: never, signal?: AbortSignal) => unknown;
type MethodOf<Opened> = Exclude<
  { [Key in keyof Opened]: Opened[Key] extends AnyMethod ? Key : never }[keyof Opened],
  'close'
> &
  string;
type Returned<Opened, Method extends keyof Opened> = Opened[Method] extends AnyMethod
  ? ReturnType<Opened[Method]>
  : never;
type RequestTo<Opened, Method extends keyof Opened> = Opened[Method] extends (request: infer R) => unknown ? R : never;

export interface Apart<Opened> {
  /**
   * Calls one of its methods with a plain value; progress is what a generator yields. The signal reaches the method, which decides what
   * of its result there is then; whoever stops listening aborts it, too.
   * @throws what the method throws; UserError `process_died`
   */
  call<Method extends MethodOf<Opened>>(
    method: Method,
    request: RequestTo<Opened, Method>,
    signal?: AbortSignal,
  ): AsyncGenerator<ProgressIn<Returned<Opened, Method>>, CallResult<Returned<Opened, Method>>>;
  /** Resolves when the process is gone: to why, where it was not closed. */
  readonly ended: Promise<Error | undefined>;
  /** Of the process. */
  readonly pid: number;
  /** Breaks off what is being answered. Resolves when the process is gone, and its memory free. */
  close(): Promise<void>;
}

type CallResult<Value> = Value extends AsyncGenerator ? ResultIn<Value> : Awaited<Value>;

/**
 * As the function that opens it, called with these. Whoever stops listening, or aborts, before it is open ends the process.
 * @throws what opening throws; UserError `process_died`; the reason of the signal
 */
export function openApart<Name extends OpenableName>(
  name: Name,
  context: Context,
  request: OpenRequestOf<Name>,
  signal?: AbortSignal,
): AsyncGenerator<OpenProgressOf<Name>, Apart<OpenedOf<Name>>> {
  return reporting(async (report, left) => {
    const cancelled = AbortSignal.any(signal ? [left, signal] : [left]);
    cancelled.throwIfAborted();
    const opened = new OpenedProcess(name);
    const cancel = () => void opened.close();
    cancelled.addEventListener('abort', cancel, { once: true });
    try {
      await opened.open(context, request, report as (progress: unknown) => void);
      return opened as unknown as Apart<OpenedOf<Name>>;
    } catch (error) {
      await opened.close();
      throw cancelled.aborted ? cancelled.reason : error;
    } finally {
      cancelled.removeEventListener('abort', cancel);
    }
  });
}

interface Call {
  report: (progress: unknown) => void;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

class OpenedProcess {
  readonly #child: ChildProcess;
  readonly #name: OpenableName;
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;
  #closing = false;
  /** Why no call is answered any more. */
  #end: Error | undefined;
  readonly ended: Promise<Error | undefined>;

  constructor(name: OpenableName) {
    this.#name = name;
    this.#child = startApart('openedProcess');
    this.#child.on('message', (message: OpenedMessage) => this.#receive(message));
    this.ended = new Promise((resolve) => {
      const end = (error: Error) => {
        this.#end ??= error;
        for (const { reject } of this.#calls.values()) reject(error);
        this.#calls.clear();
        resolve(this.#closing ? undefined : error);
      };
      exitOf(this.#child).then((exit) => end(died(name, exit)), end);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  open(context: Context, request: unknown, report: (progress: unknown) => void): Promise<unknown> {
    return this.#ask({ name: this.#name, context, request }, report);
  }

  call(method: string, request: unknown, signal?: AbortSignal): AsyncGenerator<unknown, unknown> {
    return reporting((report, left) =>
      this.#ask({ method, request }, report, AbortSignal.any(signal ? [left, signal] : [left])),
    );
  }

  async close(): Promise<void> {
    if (this.#closing || this.#end) {
      await this.ended;
      return;
    }
    this.#closing = true;
    this.#send('close');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMilliseconds);
    await this.ended;
    clearTimeout(timer);
  }

  #ask(
    what: { name: OpenableName; context: Context; request: unknown } | { method: string; request: unknown },
    report: (progress: unknown) => void,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const call = ++this.#lastCall;
    const abort = () => this.#send({ call, abort: true });
    return new Promise<unknown>((resolve, reject) => {
      if (this.#end) return reject(this.#end);
      this.#calls.set(call, { report, resolve, reject });
      this.#send({ call, ...what, aborted: signal?.aborted === true });
      signal?.addEventListener('abort', abort, { once: true });
    }).finally(() => {
      this.#calls.delete(call);
      signal?.removeEventListener('abort', abort);
    });
  }

  #receive(message: OpenedMessage): void {
    const call = this.#calls.get(message.call);
    if (!call) return;
    if ('progress' in message) call.report(message.progress);
    else if ('result' in message) call.resolve(message.result);
    else call.reject(errorOf(message));
  }

  #send(message: OpenerMessage): void {
    send(this.#child, message);
  }
}
