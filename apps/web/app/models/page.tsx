'use client';
import { useQuery } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { agent } from '../../src/agent/connection.ts';
import { useHasSocket } from '../../src/agent/hooks.ts';
import { isRunning, useJobs } from '../../src/agent/jobs.ts';
import { Empty } from '../../src/ui/Empty.tsx';
import { ErrorNote, shownError } from '../../src/ui/ErrorNote.tsx';
import { useFormat } from '../../src/ui/format.ts';
import { ModelJobs } from '../../src/ui/models/ModelJobs.tsx';
import { ModelTable } from '../../src/ui/models/ModelTable.tsx';
import { PullForm } from '../../src/ui/models/PullForm.tsx';

export default function ModelsScreen() {
  const t = useTranslations('models');
  const format = useFormat();
  const enabled = useHasSocket();
  const jobs = useJobs().filter(({ kind }) => kind === 'pull' || kind === 'checkModel');
  const { data: models, error } = useQuery({
    queryKey: ['models', jobs.map(({ id, state }) => `${id} ${state}`).join()],
    queryFn: () => agent().models.list.query(),
    placeholderData: (before) => before,
    enabled,
  });
  const arriving = new Set(jobs.filter((job) => job.kind === 'pull' && isRunning(job)).map(({ subject }) => subject));
  const cached =
    models?.filter(({ place, isWhole, name }) => place === 'cache' && (isWhole || !arriving.has(name))) ?? [];
  const others = models?.filter(({ place }) => place === 'folder') ?? [];
  const bytes = models?.reduce((sum, model) => sum + model.bytes, 0) ?? 0;
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <div className="mb-5 flex flex-wrap items-center gap-x-4 gap-y-3">
        <h1 className="font-semibold text-[22px] leading-8 tracking-[-0.015em]">{t('title')}</h1>
        {models && models.length > 0 && (
          <span className="figures mt-1 text-muted">
            {t('count', { count: models.length, bytes: format.bytes(bytes) })}
          </span>
        )}
      </div>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
        <PullForm />
        <ModelJobs jobs={jobs} />
        {error && <ErrorNote error={shownError(error)} />}
        {!models && !error && (
          <p className="text-muted" role="status">
            {t('loading')}…
          </p>
        )}
        {models?.length === 0 && (
          <Empty title={t('empty')}>
            <p>{t('emptyText')}</p>
          </Empty>
        )}
        {cached.length > 0 && <ModelTable title={t('inCache')} models={cached} jobs={jobs} />}
        {others.length > 0 && <ModelTable title={t('inFolder')} models={others} jobs={jobs} />}
      </div>
    </>
  );
}
