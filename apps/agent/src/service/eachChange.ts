/** Turns a listener into a loop: yields at once, then after each change, however many came in between. */
export async function* eachChange(
  listen: (listener: () => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<void> {
  let changed = true;
  let wake: (() => void) | undefined;
  const end = listen(() => {
    changed = true;
    wake?.();
  });
  const onAbort = () => wake?.();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      if (changed) {
        changed = false;
        yield;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    end();
    signal.removeEventListener('abort', onAbort);
  }
}
