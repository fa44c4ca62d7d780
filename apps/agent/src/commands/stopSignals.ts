/** Being told to stop: by Ctrl-C, by another program, by a terminal that closes. */

/** npm and our own launcher pass on a Ctrl-C that the terminal has sent us already: two this close are one. */
const sameSignalMilliseconds = 300;

const stopping = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof stopping)[number];

/** @param action is told how often it was asked for, and by what @returns what ends the listening */
export function onStopSignals(action: (times: number, signal: StopSignal) => void): () => void {
  let times = 0;
  let last = 0;
  const stop = (signal: StopSignal) => {
    if (Date.now() - last < sameSignalMilliseconds) return;
    last = Date.now();
    action(++times, signal);
  };
  for (const signal of stopping) process.on(signal, stop);
  return () => {
    for (const signal of stopping) process.off(signal, stop);
  };
}
