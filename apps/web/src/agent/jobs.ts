/** The jobs of the agent, as they are now, for every part of the page that shows one. */
import type { JobKind, JobOf, ListedJob } from '@anneal/core/protocol/jobs';
import { useEffect } from 'react';
import { agent } from './connection.ts';
import { createStore } from './store.ts';
import { useStore } from './useLiveRun.ts';

const jobs = createStore<readonly ListedJob[]>([]);

/** Newest first. */
export function useJobs(): readonly ListedJob[] {
  return useStore(jobs);
}

/** Those of one kind, newest first. */
export function useJobsOf<Kind extends JobKind>(kind: Kind): readonly JobOf<Kind>[] {
  return useJobs().filter((job): job is Extract<ListedJob, { kind: Kind }> => job.kind === kind) as JobOf<Kind>[];
}

/** Keeps them for as long as the frame of the page is there. @param hasSocket the agent can be asked */
export function useFollowedJobs(hasSocket: boolean): void {
  useEffect(() => {
    if (!hasSocket) return;
    const known = new Map<string, ListedJob>();
    const subscription = agent().jobs.list.subscribe(undefined, {
      // After a pause the list comes anew, and it is then the whole of it.
      onStarted: () => known.clear(),
      onData: (change) => {
        for (const id of change.gone) known.delete(id);
        for (const job of change.jobs) known.set(job.id, job);
        jobs.set([...known.values()].sort((a, b) => (a.started < b.started ? 1 : -1)));
      },
    });
    return () => subscription.unsubscribe();
  }, [hasSocket]);
}

export const isRunning = ({ state }: Pick<ListedJob, 'state'>): boolean =>
  state === 'running' || state === 'cancelling';
