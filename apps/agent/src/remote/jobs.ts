/** What another agent does as a job, followed to its end. */
import { UserError } from '@anneal/core/errors';
import type { JobKind, JobKinds, JobListChange, JobOf } from '@anneal/core/protocol/jobs';
import type { Connection } from './connection.ts';

/**
 * Yields its progress and returns its result. Whoever stops listening cancels it; with a signal that can be done while the
 * next progress is waited for.
 * @throws UserError what the job failed with, `cancelled`
 */
export async function* followJob<Kind extends JobKind>(
  { ask, listen }: Connection,
  id: string,
  signal?: AbortSignal,
): AsyncGenerator<JobKinds[Kind]['progress'], JobKinds[Kind]['result']> {
  const cancel = () => void ask((api) => api.jobs.cancel.mutate({ job: id })).catch(() => undefined); // it has ended, or the agent is gone
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  let ended = false;
  try {
    for await (const { jobs } of listen<JobListChange>((api, listener) =>
      api.jobs.list.subscribe(undefined, listener),
    )) {
      const job = jobs.find((one) => one.id === id) as JobOf<Kind> | undefined;
      if (!job) continue;
      ended = job.ended !== null;
      if (job.state === 'finished') return job.result as JobKinds[Kind]['result'];
      if (job.error) throw new UserError(job.error);
      if (ended) throw cancelled(job.subject);
      if (job.progress) yield job.progress;
    }
    throw cancelled(id);
  } finally {
    signal?.removeEventListener('abort', cancel);
    if (!ended) cancel();
  }
}

function cancelled(where: string): UserError {
  return new UserError({
    what: 'this was cancelled',
    where,
    next: 'ask for it again when it is wanted',
    code: 'cancelled',
  });
}
