'use client';
import { type SecretName, secretVariables } from '@anneal/core/protocol/secretNames';
import type { ListedSecret } from '@anneal/core/protocol/secrets';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Card, fieldClass } from './Card.tsx';

/** Tokens of hubs that the agent uses. They go in, and never come back. */
export function Secrets() {
  const t = useTranslations('access');
  const enabled = useHasSocket();
  const { data: secrets, error } = useQuery({
    queryKey: ['secrets'],
    queryFn: () => agent().secrets.list.query(),
    enabled,
  });
  return (
    <Card title={t('secrets')} text={t('secretsText')} isComing={!secrets && !error}>
      {error && <ErrorNote error={shownError(error)} />}
      <ul className="divide-y divide-line">
        {secrets?.map((secret) => (
          <Secret key={secret.name} secret={secret} />
        ))}
      </ul>
    </Card>
  );
}

function Secret({ secret: { name, from, ending, set: since, by } }: { secret: ListedSecret }) {
  const t = useTranslations('access');
  const format = useFormat();
  const queries = useQueryClient();
  const isAway = useConnection() !== 'open';
  const [value, setValue] = useState('');
  const refresh = () => queries.invalidateQueries({ queryKey: ['secrets'] });
  const set = useMutation({
    mutationFn: (given: { name: SecretName; secret: string }) => agent().secrets.set.mutate(given),
    onSuccess: () => {
      setValue('');
      return refresh();
    },
  });
  const remove = useMutation({ mutationFn: () => agent().secrets.remove.mutate({ name }), onSettled: refresh });
  const failure = set.error ?? remove.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set.mutate({ name, secret: value.trim() });
  };
  const variable = secretVariables[name];
  return (
    <li className="grid gap-2 py-1.5" data-secret={name}>
      <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-[13px]">
        <span className="font-medium">{t(`secret.${name}`)}</span>
        {ending !== null && <span className="font-mono text-[12px] text-muted">…{ending}</span>}
        <span className="text-[12.5px] text-muted">
          {from === null && t('secretNone')}
          {from === 'environment' && t('secretEnvironment', { variable })}
          {from === 'kept' &&
            since !== null &&
            t('secretSet', { time: format.time(since), by: by ?? t('commandLine') })}
        </span>
        {since !== null && (
          <Button
            className="ml-auto h-7 px-2 text-[12.5px]"
            disabled={isAway || remove.isPending}
            aria-label={t('secretRemoveOf', { name: t(`secret.${name}`) })}
            onClick={() => remove.mutate()}
          >
            {t('secretRemove')}
          </Button>
        )}
      </div>
      {failure && <ErrorNote error={shownError(failure)} />}
      <form onSubmit={submit} className="flex flex-wrap items-end gap-2">
        <label className="grid min-w-0 grow gap-1 sm:max-w-72">
          <span className="label">{t(since === null ? 'secretNew' : 'secretReplace')}</span>
          <input
            type="password"
            autoComplete="off"
            value={value}
            onChange={(event) => setValue(event.target.value)}
            placeholder="hf_…"
            className={`${fieldClass} w-full`}
          />
        </label>
        <Button type="submit" disabled={isAway || set.isPending || value.trim() === ''}>
          {t('secretKeep')}
        </Button>
      </form>
    </li>
  );
}
