import type { Diagnosing, Diagnosis } from '@anneal/core/protocol/diagnoses';
import { useEffect, useState } from 'react';
import { agent } from './connection.ts';
import { useHasSocket } from './hooks.ts';

interface Told {
  progress?: Diagnosing;
  result?: Diagnosis;
  error?: unknown;
}

/** What the doctor says of a run; it looks for as long as the component is there, or until it is cancelled. */
export function useDiagnosis(run: string): Told & { isLooking: boolean; look: () => void; cancel: () => void } {
  const hasSocket = useHasSocket();
  const [times, setTimes] = useState(1);
  const [isWanted, setWanted] = useState(true);
  const [told, setTold] = useState<Told>({});
  useEffect(() => {
    if (!hasSocket || !isWanted) return;
    const subscription = agent().runs.diagnose.subscribe(
      { run },
      {
        onData: (news) => setTold('phase' in news ? { progress: news } : { result: news }),
        onError: (error) => setTold({ error }),
      },
    );
    return () => subscription.unsubscribe();
  }, [run, times, hasSocket, isWanted]);
  return {
    ...told,
    isLooking: isWanted && told.result === undefined && told.error === undefined,
    look: () => {
      setTold({});
      setWanted(true);
      setTimes(times + 1);
    },
    cancel: () => {
      setTold({});
      setWanted(false);
    },
  };
}
