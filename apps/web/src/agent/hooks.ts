import type { ListedRun } from '@anneal/core/protocol/studio';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { agent, type ConnectionState, connectionState } from './connection.ts';

export function useConnection(): ConnectionState {
  return useSyncExternalStore(connectionState.subscribe, connectionState.get, () => 'checking');
}

/** This browser has a socket, so the agent can be asked. What is asked while it is away is answered when it is back. */
export function useHasSocket(): boolean {
  const state = useConnection();
  return state === 'open' || state === 'connecting' || state === 'lost';
}

export function useAbout() {
  const enabled = useConnection() === 'open';
  return useQuery({ queryKey: ['about'], queryFn: () => agent().agent.about.query(), enabled, staleTime: Infinity })
    .data;
}

/** What is typed to call the program of the agent, in lines that are copied. */
export function useCalledAs(): string {
  return useAbout()?.calledAs ?? 'anneal';
}

/** Every run, newest first, kept as it is now; undefined until the agent has told. */
export function useRunList(onError?: () => void): readonly ListedRun[] | undefined {
  const isOpen = useConnection() === 'open';
  const [runs, setRuns] = useState<readonly ListedRun[]>();
  const [wasOpen, setWasOpen] = useState(false);
  if (isOpen && !wasOpen) setWasOpen(true);
  useEffect(() => {
    if (!wasOpen) return;
    const known = new Map<string, ListedRun>();
    const subscription = agent().runs.list.subscribe(undefined, {
      // After a pause the list comes anew, and it is then the whole of it.
      onStarted: () => known.clear(),
      onData: (change) => {
        for (const key of change.gone) known.delete(key);
        for (const run of change.runs) known.set(run.key, run);
        setRuns([...known.values()].sort(byNewest));
      },
      onError: () => onError?.(),
    });
    return () => subscription.unsubscribe();
  }, [wasOpen]);
  return runs;
}

function byNewest(a: ListedRun, b: ListedRun): number {
  return a.created === b.created ? (a.key < b.key ? 1 : -1) : a.created < b.created ? 1 : -1;
}

/** What a subscription without input told last; undefined until it has. */
export function useLatest<T>(
  subscribe: (options: { onData: (value: T) => void }) => { unsubscribe(): void },
): T | undefined {
  const hasSocket = useHasSocket();
  const [value, setValue] = useState<T>();
  useEffect(() => {
    if (!hasSocket) return;
    const subscription = subscribe({ onData: setValue });
    return () => subscription.unsubscribe();
  }, [hasSocket]);
  return value;
}
