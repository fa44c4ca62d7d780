'use client';
import type { Person } from '@anneal/core/protocol/people';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent, signOut } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { Card, fieldClass } from './Card.tsx';

/** Who uses this browser. */
export function You({ me }: { me: Person }) {
  const t = useTranslations('access');
  const queries = useQueryClient();
  const isAway = useConnection() !== 'open';
  const [name, setName] = useState(me.name);
  const rename = useMutation({
    mutationFn: () => agent().people.rename.mutate({ name }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['me'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  return (
    <Card title={t('you')}>
      <form onSubmit={submit} className="flex flex-wrap items-end gap-2">
        <label className="grid min-w-0 grow gap-1">
          <span className="label">{t('name')}</span>
          <input
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={40}
            className={`${fieldClass} w-full`}
          />
        </label>
        <Button type="submit" disabled={isAway || rename.isPending || name.trim() === '' || name === me.name}>
          {t('save')}
        </Button>
      </form>
      {rename.error && (
        <div className="mt-2">
          <ErrorNote error={shownError(rename.error)} />
        </div>
      )}
      <p className="mt-3 text-[13px]">
        <span className="font-medium">{t(`role.${me.role}`)}</span>
        <span className="text-muted"> – {t(`may.${me.role}`)}</span>
      </p>
      <Button className="mt-3" disabled={isAway} onClick={() => void signOut()}>
        {t('signOut')}
      </Button>
    </Card>
  );
}
