'use client';
import type { ListedJob } from '@anneal/core/protocol/jobs';
import { useMutation } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { isRunning } from '../../agent/jobs.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Button } from '../Button.tsx';
import { ErrorNote } from '../ErrorNote.tsx';
import { JobProgress } from '../jobs/JobProgress.tsx';
import { useJobText } from '../jobs/useJobText.ts';

/** Downloads and checks that go on, and downloads that failed, until they are asked for again or put away. */
export function ModelJobs({ jobs }: { jobs: readonly ListedJob[] }) {
  const t = useTranslations('models');
  const j = useTranslations('jobs');
  const textOf = useJobText();
  const forget = useMutation({ mutationFn: (job: string) => agent().jobs.forget.mutate({ job }) });
  const isOff = useIsOff('operator');
  const running = jobs.filter(isRunning);
  const failed = jobs.filter((job) => job.state === 'failed' && !isLater(job, jobs));
  return (
    <>
      {running.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
          {running.map((job) => (
            <li key={job.id} className="px-4 py-3">
              <p className="truncate font-medium text-[13px]">{textOf(job).name}</p>
              <JobProgress job={job} />
            </li>
          ))}
        </ul>
      )}
      {failed.map((job) => (
        <div key={job.id} className="grid grid-cols-[minmax(0,1fr)] gap-2">
          {job.error && <ErrorNote title={t('failed', { name: job.subject })} error={job.error} />}
          <Button className="justify-self-start" disabled={isOff} onClick={() => forget.mutate(job.id)}>
            {j('forget')}
          </Button>
        </div>
      ))}
    </>
  );
}

/** Whether the same was tried again. The newest comes first. */
function isLater(job: ListedJob, jobs: readonly ListedJob[]): boolean {
  const same = jobs.filter(({ kind, subject }) => kind === job.kind && subject === job.subject);
  return same[0] !== undefined && same[0].id !== job.id;
}
