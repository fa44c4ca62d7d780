'use client';
import type { ListedJob } from '@anneal/core/protocol/jobs';
import type { PullProgress } from '@anneal/core/protocol/models';
import type { PushProgress } from '@anneal/core/protocol/push';
import type { NewVersion } from '@anneal/core/protocol/rowEdits';
import type { SynthesisProgress, SynthesisResult } from '@anneal/core/protocol/synthesis';
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

const ofRuns: ReadonlySet<ListedJob['kind']> = new Set(['export', 'parity', 'push']);

/** A job in words. */
export function useJobText(): (job: ListedJob) => JobText {
  const t = useTranslations('jobs');
  const format = useFormat();
  const describe = (job: ListedJob): Pick<JobText, 'now' | 'share'> => {
    if (job.state === 'cancelling') return { now: t('cancelling'), share: null };
    if (job.state !== 'running') return { now: job.state === 'failed' ? '' : t(job.state), share: null };
    if (!job.progress) return { now: t('starting'), share: null };
    if (job.kind === 'pull' || job.kind === 'pullData') return pulling(job.progress);
    if (job.kind === 'push') return pushing(job.progress);
    if (job.kind === 'synthesize') return making(job.progress);
    const { done, total } = job.progress;
    const share = total > 0 ? done / total : null;
    if (job.kind === 'checkModel') {
      return { now: t('hashing', { done: format.bytes(done), total: format.bytes(total) }), share };
    }
    if (job.kind === 'editRow') {
      return { now: t('writing', { done: format.bytes(done), total: format.bytes(total) }), share };
    }
    const counts = { done: format.count(done), total: format.count(total) };
    if (job.kind === 'export') return { now: t('exporting', { form: job.progress.form, ...counts }), share };
    const name = job.progress.model.endsWith(job.subject) ? t('source') : lastPart(job.progress.model);
    const { phase } = job.progress;
    return { now: phase === 'loading' ? t('loading', { name }) : t('answering', { name, ...counts }), share };
  };
  const pushing = ({ phase, done, total }: PushProgress) => {
    const bytes = { done: format.bytes(done), total: format.bytes(total) };
    return { now: t(`push_${phase}`, bytes), share: total > 0 ? done / total : null };
  };
  const making = ({ phase, answered, requests }: SynthesisProgress) => ({
    now: t(`making_${phase}`, { done: format.count(answered), total: format.count(requests) }),
    share: requests > 0 ? answered / requests : null,
  });
  const pulling = ({ phase, source, receivedBytes, totalBytes, reason }: PullProgress) => {
    if (phase === 'waiting') return { now: t('waiting'), share: null };
    if (phase === 'asking') return { now: t('asking', { source }), share: null };
    if (phase === 'failed') return { now: t('sourceFailed', { source, reason: reason ?? '' }), share: null };
    const [done, total] = [receivedBytes ?? 0, totalBytes ?? 0];
    const now = t('downloading', { done: format.bytes(done), total: format.bytes(total), source });
    return { now, share: total > 0 ? done / total : null };
  };
  return (job) => ({
    name: t(job.kind, { subject: lastPart(job.subject) }),
    href: hrefOf(job),
    ...describe(job),
  });
}

function hrefOf({ kind, subject, result }: ListedJob): string {
  if (ofRuns.has(kind)) return `/run?id=${encodeURIComponent(subject)}&tab=exports`;
  if (kind === 'pullData') {
    const { key } = (result as { key: string } | null) ?? {};
    return key === undefined ? '/data' : `/data?hub=${encodeURIComponent(key)}`;
  }
  if (kind === 'synthesize') {
    const { output } = (result as SynthesisResult | null) ?? {};
    return output ? `/data?file=${encodeURIComponent(output)}` : '/data';
  }
  if (kind !== 'editRow') return '/models';
  return `/data?file=${encodeURIComponent((result as NewVersion | null)?.file ?? subject)}`;
}

function lastPart(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? path;
}
