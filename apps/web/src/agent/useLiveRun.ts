import { useEffect, useState, useSyncExternalStore } from 'react';
import { useHasSocket } from './hooks.ts';
import { LiveRun, type View } from './liveRun.ts';
import type { Store } from './store.ts';

/** The run for as long as the component is there; undefined until this browser has a socket. */
export function useLiveRun(key: string, view: View): LiveRun | undefined {
  const hasSocket = useHasSocket();
  const [run, setRun] = useState<LiveRun>();
  useEffect(() => {
    if (!hasSocket) return;
    const opened = new LiveRun(key, view);
    setRun(opened);
    return () => opened.close();
    // The view that it is opened with is the first one; later ones are shown below.
  }, [key, hasSocket]);
  const { range, smoothing } = view;
  const [from, to] = range ?? [null, null];
  useEffect(() => {
    run?.show({ range: from === null || to === null ? null : [from, to], smoothing });
  }, [run, from, to, smoothing]);
  return run?.key === key ? run : undefined;
}

/** The value of a store, as it is now. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.read.subscribe, store.read.get, store.read.get);
}
