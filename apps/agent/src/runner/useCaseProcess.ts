/** The program of `runApart`: it is told which use case to run, tells progress and result, and ends. */
import { deviceFault } from '@anneal/core/deviceFault';
import { UserError } from '@anneal/core/errors';
import type { Context } from '../service/context.ts';
import { type UseCaseName, useCases } from '../service/useCases.ts';

/** What the parent says: first what to run, then perhaps that nobody waits for it any more. */
export type ParentMessage = { name: UseCaseName; context: Context; request: unknown } | 'cancel';

/** What it is told. Of an error that is no UserError only the stack can travel. */
export type ChildMessage =
  | { progress: unknown }
  | { result: unknown }
  | { error: ReturnType<UserError['toJSON']> }
  | { defect: string };

type AnyUseCase = (context: Context, request: unknown) => AsyncGenerator<unknown, unknown>;

let running: AsyncGenerator<unknown, unknown> | undefined;

process.on('message', (message: ParentMessage) => {
  if (message !== 'cancel') void run(message);
  else void running?.return(undefined).then(() => process.exit());
});
// The parent is gone, and with it everybody who waits.
process.on('disconnect', () => process.exit());

async function run({ name, context, request }: Exclude<ParentMessage, 'cancel'>): Promise<void> {
  try {
    const useCase = (await useCases[name]()) as AnyUseCase;
    running = useCase(context, request);
    let step = await running.next();
    for (; !step.done; step = await running.next()) await tell({ progress: step.value });
    await tell({ result: step.value });
  } catch (error) {
    const known = error instanceof UserError ? error : deviceFault(error);
    await tell(
      known ? { error: known.toJSON() } : { defect: error instanceof Error ? String(error.stack) : String(error) },
    );
  }
  process.exit();
}

function tell(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve());
    else resolve();
  });
}
