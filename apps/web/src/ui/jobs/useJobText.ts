'use client';
import type { ListedJob } from '@anneal/core/protocol/jobs';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';

export interface JobText {
  name: string;
  /** Where it is, in words. */
  now: string;
  /** From 0 to 1; null where that cannot be said. */
  share: number | null;
  /** Where its result is seen. */
  href: string;
}

/** A job in words. */
export function useJobText(): (job: ListedJob) => JobText {
  const t = useTranslations('jobs');
  const format = useFormat();
  const describe = (job: ListedJob): Pick<JobText, 'now' | 'share'> => {
    if (job.state === 'cancelling') return { now: t('cancelling'), share: null };
    if (job.state !== 'running') return { now: job.state === 'failed' ? '' : t(job.state), share: null };
    if (!job.progress) return { now: t('starting'), share: null };
    const { done, total } = job.progress;
    const counts = { done: format.count(done), total: format.count(total) };
    const share = total > 0 ? done / total : null;
    if (job.kind === 'export') return { now: t('exporting', { form: job.progress.form, ...counts }), share };
    const name = job.progress.model.endsWith(job.subject) ? t('source') : lastPart(job.progress.model);
    const { phase } = job.progress;
    return { now: phase === 'loading' ? t('loading', { name }) : t('answering', { name, ...counts }), share };
  };
  return (job) => ({
    name: t(job.kind, { subject: lastPart(job.subject) }),
    href: `/run?id=${encodeURIComponent(job.subject)}&tab=exports`,
    ...describe(job),
  });
}

function lastPart(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? path;
}
