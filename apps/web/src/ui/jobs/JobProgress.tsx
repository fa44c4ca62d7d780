'use client';
import type { ListedJob } from '@anneal/core/protocol/jobs';
import { useMutation } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Bar } from '../Bar.tsx';
import { Button } from '../Button.tsx';
import { useJobText } from './useJobText.ts';

/** How far a job is, and the way to end it. */
export function JobProgress({ job }: { job: ListedJob }) {
  const t = useTranslations('jobs');
  const { name, now, share } = useJobText()(job);
  const cancel = useMutation({ mutationFn: () => agent().jobs.cancel.mutate({ job: job.id }) });
  const isOff = useIsOff('operator');
  return (
    <div className="grid min-w-0 gap-1.5" data-job={job.kind} data-job-state={job.state}>
      <div className="flex items-center gap-3">
        <span className="figures min-w-0 grow truncate text-[13px] text-muted">{now}</span>
        <Button
          className="h-6 px-2 text-[12px]"
          aria-label={t('cancelOf', { name })}
          disabled={isOff || job.state !== 'running' || cancel.isPending}
          onClick={() => cancel.mutate()}
        >
          {t('cancel')}
        </Button>
      </div>
      <div
        role="progressbar"
        aria-label={name}
        {...(share !== null && { 'aria-valuenow': Math.round(100 * share), 'aria-valuemin': 0, 'aria-valuemax': 100 })}
        className="h-1 overflow-hidden rounded-full bg-line"
      >
        {share === null ? (
          <div className="h-full w-1/3 animate-breathe rounded-full bg-ember" />
        ) : (
          <Bar share={share} color="bg-ember" />
        )}
      </div>
    </div>
  );
}
