import type { QueueState } from '@anneal/core/protocol/studio';
import { useEffect, useState } from 'react';
import { agent } from './connection.ts';
import { useHasSocket } from './hooks.ts';

/** The queue as it is now; undefined until the agent has told. */
export function useQueue(): { queue: QueueState | undefined; error: unknown } {
  const hasSocket = useHasSocket();
  const [queue, setQueue] = useState<QueueState>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (!hasSocket) return;
    const subscription = agent().queue.state.subscribe(undefined, { onData: setQueue, onError: setError });
    return () => subscription.unsubscribe();
  }, [hasSocket]);
  return { queue, error };
}
