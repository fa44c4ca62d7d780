/** A use case in a process of its own: it holds up nobody, its memory ends with it, and its crash is an error like any other. */
import type { Context } from '../service/context.ts';
import { reporting } from '../service/reporting.ts';
import type { ProgressOf, RequestOf, ResultOf, UseCaseName } from '../service/useCases.ts';
import { died, errorOf, exitOf, patienceMilliseconds, send, startApart } from './apart.ts';
import type { ChildMessage, ParentMessage } from './useCaseProcess.ts';

/**
 * As the use case itself, called with these. Whoever stops listening cancels it, and waits until its process is gone; with a signal
 * that can be done while the next progress is waited for. A result that comes after that is not given.
 * @throws what the use case throws; UserError `process_died`; the reason of the signal
 */
export function runApart<Name extends UseCaseName>(
  name: Name,
  context: Context,
  request: RequestOf<Name>,
  signal?: AbortSignal,
): AsyncGenerator<ProgressOf<Name>, ResultOf<Name>> {
  return reporting(async (report, left) => {
    const cancelled = AbortSignal.any(signal ? [left, signal] : [left]);
    cancelled.throwIfAborted();
    const tell = (progress: unknown) => report(progress as ProgressOf<Name>);
    const end = await lastMessageOf({ name, context: { ...context, signal: undefined }, request }, tell, cancelled);
    if (end instanceof Error) throw end;
    return end.result as ResultOf<Name>;
  });
}

/** Resolves once the process is gone. */
function lastMessageOf(
  order: Exclude<ParentMessage, 'cancel'>,
  report: (progress: unknown) => void,
  cancelled: AbortSignal,
): Promise<{ result: unknown } | Error> {
  const child = startApart('useCaseProcess');
  return new Promise((resolve, reject) => {
    let end: { result: unknown } | Error | undefined;
    let timer: NodeJS.Timeout | undefined;
    const cancel = () => {
      timer = setTimeout(() => child.kill('SIGKILL'), patienceMilliseconds);
      send(child, 'cancel' satisfies ParentMessage);
    };
    cancelled.addEventListener('abort', cancel, { once: true });
    child.on('message', (message: ChildMessage) => {
      if ('progress' in message) report(message.progress);
      else if (!cancelled.aborted) end = 'result' in message ? message : errorOf(message);
    });
    exitOf(child).then((exit) => {
      cancelled.removeEventListener('abort', cancel);
      clearTimeout(timer);
      if (!end && cancelled.aborted) reject(cancelled.reason);
      else resolve(end ?? died(order.name, exit));
    }, reject);
    send(child, order);
  });
}
