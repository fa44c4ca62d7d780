'use client';
import type { ListedJob } from '@anneal/core/protocol/jobs';
import { useMutation } from '@tanstack/react-query';
import { LoaderCircle, Rows3, X } from 'lucide-react';
import Link from 'next/link';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { isRunning, useJobs } from '../../agent/jobs.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { IconButton } from '../Button.tsx';
import { useFormat } from '../format.ts';
import { ProblemLine } from '../ProblemLine.tsx';
import { JobProgress } from './JobProgress.tsx';
import { useJobText } from './useJobText.ts';

/** What the agent is doing for anybody, wherever one is. Nothing is there as long as there was no job. */
export function Activity() {
  const t = useTranslations('jobs');
  const jobs = useJobs();
  const [open, setOpen] = useState(false);
  const running = jobs.filter(isRunning).length;
  if (jobs.length === 0) return null;
  const label = t('open', { count: running });
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <IconButton label={label} className={running > 0 ? 'w-auto gap-1 px-1.5 text-ember' : ''}>
          {running > 0 ? <LoaderCircle className="size-4 animate-spin" /> : <Rows3 className="size-4" />}
          {running > 0 && <span className="figures font-medium text-[12.5px]">{running}</span>}
        </IconButton>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={12}
          aria-label={t('title')}
          className="z-30 w-[min(24rem,calc(100vw-1.5rem))] rounded-lg border border-line bg-surface shadow-black/8 shadow-lg"
        >
          <ul className="max-h-[60vh] divide-y divide-line overflow-y-auto">
            {jobs.map((job) => (
              <Row key={job.id} job={job} onGo={() => setOpen(false)} />
            ))}
          </ul>
          <p className="border-line border-t px-3.5 py-2 text-[12px] text-muted">{t('note')}</p>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Row({ job, onGo }: { job: ListedJob; onGo: () => void }) {
  const t = useTranslations('jobs');
  const format = useFormat();
  const { name, now, href } = useJobText()(job);
  const isOff = useIsOff('operator');
  const forget = useMutation({ mutationFn: () => agent().jobs.forget.mutate({ job: job.id }) });
  return (
    <li className="grid gap-1 px-3.5 py-2.5">
      <div className="flex items-center gap-2">
        <Link href={href} onClick={onGo} className="min-w-0 grow truncate font-medium text-[13px] hover:text-ember">
          {name}
        </Link>
        <time dateTime={job.started} className="figures shrink-0 text-[12px] text-muted">
          {format.time(job.ended ?? job.started)}
        </time>
        {!isRunning(job) && !isOff && (
          <IconButton label={t('forgetOf', { name })} className="-mr-1.5 size-6" onClick={() => forget.mutate()}>
            <X className="size-3.5" />
          </IconButton>
        )}
      </div>
      {isRunning(job) ? (
        <JobProgress job={job} />
      ) : job.error ? (
        <p className="text-[12.5px] text-bad [overflow-wrap:anywhere]">
          <ProblemLine problem={job.error} />
        </p>
      ) : (
        <p className={`text-[12.5px] ${job.state === 'finished' ? 'text-good' : 'text-muted'}`}>{now}</p>
      )}
    </li>
  );
}
