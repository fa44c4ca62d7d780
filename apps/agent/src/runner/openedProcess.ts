/** The program of `openApart`: it opens what it is told to, answers calls of its methods, and ends when it is closed. */
import type { Context } from '../service/context.ts';
import { type OpenableName, openables } from '../service/openables.ts';
import { type ErrorMessage, messageOf, tell } from './apart.ts';

/**
 * What the parent says: first what to open, then calls, each with a number of its own. A call can be broken off before it is made: the
 * method decides what that means, and a message after the call might come when it has ended.
 */
export type OpenerMessage =
  | { call: number; aborted: boolean; name: OpenableName; context: Context; request: unknown }
  | { call: number; aborted: boolean; method: string; request: unknown }
  | { call: number; abort: true }
  | 'close';

/** What it is told of each call. */
export type OpenedMessage = { call: number } & ({ progress: unknown } | { result: unknown } | ErrorMessage);

type AnyOpen = (context: Context, request: unknown) => AsyncGenerator<unknown, Opened>;
interface Opened {
  [method: string]: unknown;
  close(): void | Promise<void>;
}

let opening: AsyncGenerator<unknown, Opened> | undefined;
let opened: Opened | undefined;
/** The calls that are being answered, and how to break one off. */
const answering = new Map<number, { abort: AbortController; end: Promise<void> }>();

process.on('message', (message: OpenerMessage) => {
  if (message === 'close') void close();
  else if ('abort' in message) answering.get(message.call)?.abort.abort();
  else begin(message);
});
// The parent is gone, and with it everybody who asks.
process.on('disconnect', () => process.exit());

type Call = Exclude<OpenerMessage, 'close' | { abort: true }>;

function begin(message: Call): void {
  const abort = new AbortController();
  if (message.aborted) abort.abort();
  const end = answer(message, abort.signal).finally(() => answering.delete(message.call));
  answering.set(message.call, { abort, end });
}

async function answer(message: Call, signal: AbortSignal): Promise<void> {
  const { call } = message;
  try {
    const result = 'name' in message ? await open(message) : await use(message, signal);
    await tell({ call, result } satisfies OpenedMessage);
  } catch (error) {
    await tell({ call, ...messageOf(error) } satisfies OpenedMessage);
  }
}

async function open({
  call,
  name,
  context,
  request,
}: Extract<OpenerMessage, { name: OpenableName }>): Promise<undefined> {
  opening = ((await openables[name]()) as unknown as AnyOpen)(context, request);
  opened = await toldOf(call, opening);
}

async function use(
  { call, method, request }: Extract<OpenerMessage, { method: string }>,
  signal: AbortSignal,
): Promise<unknown> {
  const called = opened?.[method];
  if (!opened || typeof called !== 'function') throw new Error(`nothing is open that has a method ${method}`);
  const returned: unknown = called.call(opened, request, signal);
  return isGenerator(returned) ? toldOf(call, returned) : returned;
}

/** The result of a generator, whose progress is told on the way. */
async function toldOf<Result>(call: number, generator: AsyncGenerator<unknown, Result>): Promise<Result> {
  let step = await generator.next();
  for (; !step.done; step = await generator.next()) await tell({ call, progress: step.value } satisfies OpenedMessage);
  return step.value;
}

function isGenerator(value: unknown): value is AsyncGenerator<unknown, unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** What is being answered is broken off first, and told as far as it came. */
async function close(): Promise<void> {
  for (const { abort } of answering.values()) abort.abort();
  if (!opened) await opening?.return(undefined as never);
  await Promise.all([...answering.values()].map(({ end }) => end));
  await opened?.close();
  process.exit();
}
