/** The program of `runApart`: it is told which use case to run, tells progress and result, and ends. */
import type { Context } from '../service/context.ts';
import { type UseCaseName, useCases } from '../service/useCases.ts';
import { type ErrorMessage, messageOf, patienceMilliseconds, tell } from './apart.ts';

/** What the parent says: first what to run, then perhaps that nobody waits for it any more. */
export type ParentMessage = { name: UseCaseName; context: Context; request: unknown } | 'cancel';

/** What it is told. */
export type ChildMessage = { progress: unknown } | { result: unknown } | ErrorMessage;

type AnyUseCase = (context: Context, request: unknown) => AsyncGenerator<unknown, unknown>;

const left = new AbortController();
let running: AsyncGenerator<unknown, unknown> | undefined;

process.on('message', (message: ParentMessage) => (message === 'cancel' ? cancel() : void run(message)));
// The parent is gone, and with it everybody who waits, and who would end what does not end by itself.
process.on('disconnect', () => {
  setTimeout(() => process.exit(), patienceMilliseconds);
  cancel();
});

/** What was begun is cleared away first. */
function cancel(): void {
  left.abort();
  if (running) void running.return(undefined).finally(() => process.exit());
  else process.exit();
}

async function run({ name, context, request }: Exclude<ParentMessage, 'cancel'>): Promise<void> {
  try {
    const useCase = (await useCases[name]()) as AnyUseCase;
    running = useCase({ ...context, signal: left.signal }, request);
    let step = await running.next();
    for (; !step.done; step = await running.next()) await tell({ progress: step.value });
    await tell({ result: step.value });
  } catch (error) {
    await tell(messageOf(error));
  }
  process.exit();
}
