'use client';
import { type Role, roles } from '@anneal/core/protocol/roles';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { fieldClass } from './Card.tsx';
import { PairingLink } from './PairingLink.tsx';

/** Adds a person, and shows the link that lets them in. */
export function Invite({ onInvited }: { onInvited: () => unknown }) {
  const t = useTranslations('access');
  const isAway = useConnection() !== 'open';
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const invite = useMutation({
    mutationFn: (wanted: { name: string; role: Role }) => agent().people.invite.mutate(wanted),
    onSuccess: () => {
      setName('');
      onInvited();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate({ name: name.trim(), role });
  };
  return (
    <form onSubmit={submit} className="mt-3 grid gap-2 border-line border-t pt-3">
      <div className="flex flex-wrap items-end gap-2">
        <label className="grid min-w-0 grow gap-1 sm:max-w-72">
          <span className="label">{t('inviteName')}</span>
          <input
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={40}
            className={`${fieldClass} w-full`}
          />
        </label>
        <label className="grid gap-1">
          <span className="label">{t('inviteRole')}</span>
          <select value={role} onChange={(event) => setRole(event.target.value as Role)} className={fieldClass}>
            {roles.map((level) => (
              <option key={level} value={level}>
                {t(`role.${level}`)}
              </option>
            ))}
          </select>
        </label>
        <Button type="submit" look="primary" disabled={isAway || invite.isPending || name.trim() === ''}>
          {t('invite')}
        </Button>
      </div>
      <p className="text-[12.5px] text-muted">
        {t(`role.${role}`)}: {t(`may.${role}`)}
      </p>
      {invite.error && <ErrorNote error={shownError(invite.error)} />}
      {invite.data && <PairingLink code={invite.data} name={invite.variables?.name} />}
    </form>
  );
}
