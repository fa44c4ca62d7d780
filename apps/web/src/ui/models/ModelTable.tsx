'use client';
import type { JobOf, ListedJob } from '@anneal/core/protocol/jobs';
import type { LocalModel } from '@anneal/core/protocol/models';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { Confirm } from '../Confirm.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { columns, ModelRow } from './ModelRow.tsx';

/** Models in rows; on a phone each is a card of a few lines. */
export function ModelTable({
  title,
  models,
  jobs,
}: {
  title: string;
  models: readonly LocalModel[];
  jobs: readonly ListedJob[];
}) {
  const t = useTranslations('models');
  const format = useFormat();
  const queries = useQueryClient();
  const [doomed, setDoomed] = useState<LocalModel>();
  const remove = useMutation({
    mutationFn: (model: string) => agent().models.remove.mutate({ model }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
  const heads = ['architecture', 'size', 'license', 'template', 'runs'] as const;
  return (
    <section aria-label={title}>
      <div className={`grid items-end gap-x-4 px-4 pb-1.5 ${columns}`}>
        <h2 className="font-medium text-[13px]">{title}</h2>
        {heads.map((head) => (
          <span key={head} className="label max-lg:hidden">
            {t(head)}
          </span>
        ))}
      </div>
      {remove.error && (
        <div className="pb-3">
          <ErrorNote error={shownError(remove.error)} />
        </div>
      )}
      <ul className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
        {models.map((model) => (
          <ModelRow
            key={model.path}
            model={model}
            checked={jobs.find((job) => isCheckOf(job, model)) as JobOf<'checkModel'> | undefined}
            onRemove={() => setDoomed(model)}
          />
        ))}
      </ul>
      <Confirm
        open={doomed !== undefined}
        onOpenChange={(open) => !open && setDoomed(undefined)}
        title={t('removeTitle')}
        text={doomed ? t('removeText', { name: doomed.name, bytes: format.bytes(doomed.bytes) }) : ''}
        action={t('removeAction')}
        onConfirm={() => doomed && remove.mutate(doomed.path)}
      />
    </section>
  );
}

function isCheckOf(job: ListedJob, { path }: LocalModel): boolean {
  return job.kind === 'checkModel' && job.result?.path === path;
}
