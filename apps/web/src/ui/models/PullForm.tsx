'use client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useQueryStates } from 'nuqs';
import { useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { pullKeys } from '../../agent/pullAddress.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';

const field = 'h-8 w-full rounded-md border border-line bg-surface px-2.5 font-mono text-[12.5px]';

/** A model by its name, into the cache of the agent's machine. */
export function PullForm() {
  const t = useTranslations('models');
  const names = useId();
  const hint = useId();
  const isOff = useIsOff('operator');
  const [wanted] = useQueryStates(pullKeys);
  const [model, setModel] = useState(wanted.pull ?? '');
  const [revision, setRevision] = useState(wanted.revision ?? '');
  const { data: catalog } = useQuery({
    queryKey: ['catalog'],
    queryFn: () => agent().models.catalog.query(),
    enabled: useHasSocket(),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const pull = useMutation({
    mutationFn: () =>
      agent().models.pull.mutate({ model: model.trim(), ...(revision.trim() !== '' && { revision: revision.trim() }) }),
    onSuccess: () => setModel(''),
  });
  return (
    <form
      aria-label={t('get')}
      className="grid grid-cols-[minmax(0,1fr)] gap-2 rounded-lg border border-line bg-surface p-4"
      onSubmit={(event) => {
        event.preventDefault();
        pull.mutate();
      }}
    >
      <h2 className="font-medium text-[13px]">{t('get')}</h2>
      <div className="grid items-end gap-3 sm:grid-cols-[minmax(0,1fr)_9rem_auto]">
        <label className="grid gap-1">
          <span className="label">{t('name')}</span>
          <input
            value={model}
            onChange={(event) => setModel(event.target.value)}
            list={names}
            autoComplete="off"
            spellCheck={false}
            aria-describedby={hint}
            placeholder="smollm2-135m"
            className={`${field} placeholder:text-muted`}
          />
        </label>
        <label className="grid gap-1">
          <span className="label">{t('revision')}</span>
          <input
            value={revision}
            onChange={(event) => setRevision(event.target.value)}
            spellCheck={false}
            placeholder={t('revisionHint')}
            className={`${field} placeholder:text-muted`}
          />
        </label>
        <Button type="submit" look="primary" disabled={isOff || model.trim() === '' || pull.isPending}>
          <Download className="size-3.5" aria-hidden="true" />
          {t('download')}
        </Button>
      </div>
      <p id={hint} className="text-[12.5px] text-muted">
        {t('nameHint')}
      </p>
      <datalist id={names}>
        {catalog?.map(({ name, id }) => (
          <option key={name} value={name}>
            {id}
          </option>
        ))}
      </datalist>
      {pull.error && <ErrorNote error={shownError(pull.error)} />}
    </form>
  );
}
