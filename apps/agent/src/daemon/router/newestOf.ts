import { eachChange } from '../../service/eachChange.ts';
import type { Pace } from '../pace.ts';

/**
 * What work tells on its way, for one client: whenever that can take more the newest, not each. Returns what the work does.
 * @param signal ends the work, where that looks at it, and this with what the work then throws
 */
export async function* newestOf<Progress, Result>(
  work: (report: (progress: Progress) => void, signal: AbortSignal) => Promise<Result>,
  pace: Pace,
  signal = new AbortController().signal,
): AsyncGenerator<Progress, Result> {
  let newest: Progress | undefined;
  let changed: (() => void) | undefined;
  const ended = new AbortController();
  const result = work((progress) => {
    newest = progress;
    changed?.();
  }, signal).finally(() => ended.abort());
  result.catch(() => undefined); // awaited below
  const listen = (listener: () => void) => {
    changed = listener;
    return () => undefined;
  };
  for await (const _ of eachChange(listen, AbortSignal.any([signal, ended.signal]))) {
    if (newest === undefined) continue;
    await pace.turn(signal);
    yield newest;
  }
  return await result;
}
