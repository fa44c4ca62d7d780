'use client';
import type { SetEndpointRequest } from '@anneal/core/protocol/endpoints';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { Card, fieldClass } from './Card.tsx';

const nothing = { name: '', url: '', secret: '' };

/** Whom recipes that make rows may ask. Keys go in, and never come back. */
export function Endpoints() {
  const t = useTranslations('endpoints');
  const queries = useQueryClient();
  const isAway = useConnection() !== 'open';
  const [written, setWritten] = useState(nothing);
  const listed = useQuery({
    queryKey: ['endpoints'],
    queryFn: () => agent().endpoints.list.query(),
    enabled: useHasSocket(),
  });
  const refresh = () => queries.invalidateQueries({ queryKey: ['endpoints'] });
  const set = useMutation({
    mutationFn: (request: SetEndpointRequest) => agent().endpoints.set.mutate(request),
    onSuccess: () => {
      setWritten(nothing);
      return refresh();
    },
  });
  const remove = useMutation({
    mutationFn: (name: string) => agent().endpoints.remove.mutate({ name }),
    onSettled: refresh,
  });
  const failure = set.error ?? remove.error ?? listed.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { name, url, secret } = written;
    set.mutate({ name, url, ...(secret.trim() !== '' && { secret }) });
  };
  const field = (key: keyof typeof nothing, placeholder: string, type = 'text') => (
    <label className="grid min-w-0 gap-1">
      <span className="label">{t(key)}</span>
      <input
        type={type}
        autoComplete="off"
        spellCheck={false}
        value={written[key]}
        onChange={({ target }) => setWritten({ ...written, [key]: target.value })}
        placeholder={placeholder}
        className={`${fieldClass} w-full`}
      />
    </label>
  );
  return (
    <Card title={t('title')} text={t('text')} isComing={listed.isPending}>
      {failure && <ErrorNote error={shownError(failure)} />}
      <ul className="divide-y divide-line">
        {listed.data?.endpoints.map(({ name, url, ending }) => (
          <li
            key={name}
            data-endpoint={name}
            className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 py-1.5 text-[13px]"
          >
            <span className="font-medium">{name}</span>
            <span className="min-w-0 font-mono text-[12px] [overflow-wrap:anywhere]">{url}</span>
            <span className="text-[12.5px] text-muted">{ending === null ? t('noKey') : t('keyEnds', { ending })}</span>
            <Button
              className="ml-auto h-7 px-2 text-[12.5px]"
              disabled={isAway || remove.isPending}
              aria-label={t('removeOf', { name })}
              onClick={() => remove.mutate(name)}
            >
              {t('remove')}
            </Button>
          </li>
        ))}
        {listed.data && (
          <li className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 py-1.5 text-[13px]">
            <span className="font-medium">{t('own')}</span>
            <span className="min-w-0 font-mono text-[12px] [overflow-wrap:anywhere]">{listed.data.own}</span>
            <span className="text-[12.5px] text-muted">{t('ownText')}</span>
          </li>
        )}
      </ul>
      <form
        onSubmit={submit}
        className="mt-3 grid items-end gap-2 border-line border-t pt-3 sm:grid-cols-[1fr_2fr_1fr_auto]"
      >
        {field('name', 'ollama')}
        {field('url', 'http://127.0.0.1:11434/v1')}
        {field('secret', t('ifAny'), 'password')}
        <Button
          type="submit"
          disabled={isAway || set.isPending || written.name.trim() === '' || written.url.trim() === ''}
        >
          {t('keep')}
        </Button>
      </form>
    </Card>
  );
}
