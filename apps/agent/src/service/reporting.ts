const nobodyWaits = (): void => undefined;

/**
 * What a function reports by calling back, as the progress of a use case. Whoever stops listening has it aborted, where it looks
 * at its signal, and waits for its end.
 * @param outer aborts it as well, without waiting for its next report
 */
export async function* reporting<Progress, Result>(
  work: (report: (progress: Progress) => void, signal: AbortSignal) => Promise<Result>,
  outer?: AbortSignal,
): AsyncGenerator<Progress, Result> {
  const waiting: Progress[] = [];
  const given = new AbortController();
  let wake = nobodyWaits;
  let ended = false;
  const result = work(
    (progress) => {
      waiting.push(progress);
      wake();
    },
    AbortSignal.any(outer ? [given.signal, outer] : [given.signal]),
  ).finally(() => {
    ended = true;
    wake();
  });
  result.catch(() => undefined); // awaited below, once its progress is passed on
  try {
    for (;;) {
      yield* waiting.splice(0);
      if (ended && waiting.length === 0) return await result;
      if (!ended && waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    given.abort();
    await result.catch(() => undefined);
  }
}
