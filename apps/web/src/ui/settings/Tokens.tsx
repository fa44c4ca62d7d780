'use client';
import { type Scope, scopes } from '@anneal/core/protocol/roles';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { Button } from '../Button.tsx';
import { Command } from '../Command.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Card, fieldClass } from './Card.tsx';

/** Tokens for programs. */
export function Tokens() {
  const t = useTranslations('access');
  const format = useFormat();
  const queries = useQueryClient();
  const enabled = useHasSocket();
  const isAway = useConnection() !== 'open';
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>('chat');
  const refresh = () => queries.invalidateQueries({ queryKey: ['tokens'] });
  const { data: tokens, error } = useQuery({
    queryKey: ['tokens'],
    queryFn: () => agent().tokens.list.query(),
    enabled,
  });
  const create = useMutation({
    mutationFn: () => agent().tokens.create.mutate({ name: name.trim(), scope }),
    onSuccess: () => {
      setName('');
      return refresh();
    },
  });
  const revoke = useMutation({ mutationFn: (id: string) => agent().tokens.revoke.mutate({ id }), onSettled: refresh });
  const failure = error ?? create.error ?? revoke.error;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Card title={t('tokens')} text={t('tokensText')} isComing={!tokens && !error}>
      {failure && <ErrorNote error={shownError(failure)} />}
      {tokens?.length === 0 && <p className="text-[13px] text-muted">{t('noTokens')}</p>}
      <ul className="divide-y divide-line">
        {tokens?.map((token) => (
          <li key={token.id} className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 py-1.5 text-[13px]">
            <span className="min-w-0 truncate font-medium">{token.name}</span>
            <span className="text-[12.5px] text-muted">{t(`scope.${token.scope}`)}</span>
            <span className="font-mono text-[12px] text-muted">{token.id}</span>
            <span className="figures text-[12.5px] text-muted max-sm:hidden">
              {t('since', { time: format.time(token.created) })}
            </span>
            <Button
              className="ml-auto h-7 px-2 text-[12.5px]"
              disabled={isAway || revoke.isPending}
              aria-label={t('revokeOf', { name: token.name })}
              onClick={() => revoke.mutate(token.id)}
            >
              {t('revoke')}
            </Button>
          </li>
        ))}
      </ul>
      <form onSubmit={submit} className="mt-3 flex flex-wrap items-end gap-2 border-line border-t pt-3">
        <label className="grid min-w-0 grow gap-1 sm:max-w-72">
          <span className="label">{t('tokenName')}</span>
          <input
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={60}
            placeholder="open-webui"
            className={`${fieldClass} w-full`}
          />
        </label>
        <label className="grid gap-1">
          <span className="label">{t('tokenScope')}</span>
          <select value={scope} onChange={(event) => setScope(event.target.value as Scope)} className={fieldClass}>
            {scopes.map((one) => (
              <option key={one} value={one}>
                {t(`scope.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <Button type="submit" disabled={isAway || create.isPending || name.trim() === ''}>
          {t('createToken')}
        </Button>
      </form>
      {create.data && (
        <div role="status" className="mt-2 grid min-w-0 gap-1.5">
          <Command>{create.data.token}</Command>
          <p className="text-[12.5px] text-muted">{t('tokenOnce')}</p>
        </div>
      )}
    </Card>
  );
}
