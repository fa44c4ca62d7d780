import type { HostNow } from '@anneal/core/protocol/studio';
import { useEffect, useState } from 'react';
import { agent } from './connection.ts';
import { useHasSocket } from './hooks.ts';

/** Two minutes. */
const mostSamples = 60;

/** What the host is doing, oldest sample first; empty until the agent has told. */
export function useHost(): { samples: readonly HostNow[]; error: unknown } {
  const hasSocket = useHasSocket();
  const [samples, setSamples] = useState<readonly HostNow[]>([]);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (!hasSocket) return;
    const subscription = agent().host.samples.subscribe(undefined, {
      onData: (sample) => setSamples((before) => [...before, sample].slice(-mostSamples)),
      onError: setError,
    });
    return () => subscription.unsubscribe();
  }, [hasSocket]);
  return { samples, error };
}
