'use client';
import type { ListedPerson, Person } from '@anneal/core/protocol/people';
import { type Role, roles } from '@anneal/core/protocol/roles';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link2, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { IconButton } from '../Button.tsx';
import { Confirm } from '../Confirm.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Card, fieldClass } from './Card.tsx';
import { Invite } from './Invite.tsx';
import { PairingLink } from './PairingLink.tsx';

/** Everybody who may use the agent, and what each may do. */
export function People({ me }: { me: Person }) {
  const t = useTranslations('access');
  const format = useFormat();
  const queries = useQueryClient();
  const enabled = useHasSocket();
  const isAway = useConnection() !== 'open';
  const [leaving, setLeaving] = useState<ListedPerson>();
  const refresh = () => Promise.all(['people', 'me'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  const { data: people, error } = useQuery({
    queryKey: ['people'],
    queryFn: () => agent().people.list.query(),
    enabled,
  });
  const setRole = useMutation({
    mutationFn: (wanted: { person: string; role: Role }) => agent().people.setRole.mutate(wanted),
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: (person: string) => agent().people.remove.mutate({ person }),
    onSettled: refresh,
  });
  const newLink = useMutation({
    mutationFn: ({ id }: ListedPerson) => agent().people.newLink.mutate({ person: id }),
    onSettled: refresh,
  });
  const failure = error ?? setRole.error ?? remove.error ?? newLink.error;
  return (
    <Card title={t('people')} text={t('peopleText')} isComing={!people && !error}>
      {failure && <ErrorNote error={shownError(failure)} />}
      <ul className="divide-y divide-line">
        {people?.map((person) => (
          <li key={person.id} className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
            <span className="min-w-0 truncate font-medium">{person.name}</span>
            {person.id === me.id && <span className="text-[12.5px] text-muted">{t('thatIsYou')}</span>}
            <span className="figures text-[12.5px] text-muted">{stateOf(person, t, format.time)}</span>
            <span className="ml-auto flex items-center gap-1">
              <label>
                <span className="sr-only">{t('roleOf', { name: person.name })}</span>
                <select
                  value={person.role}
                  disabled={isAway || setRole.isPending}
                  onChange={(event) => setRole.mutate({ person: person.id, role: event.target.value as Role })}
                  className={fieldClass}
                >
                  {roles.map((role) => (
                    <option key={role} value={role}>
                      {t(`role.${role}`)}
                    </option>
                  ))}
                </select>
              </label>
              <IconButton
                label={t('newLink', { name: person.name })}
                disabled={isAway}
                onClick={() => newLink.mutate(person)}
              >
                <Link2 className="size-4" />
              </IconButton>
              <IconButton
                label={t('removePerson', { name: person.name })}
                disabled={isAway || person.id === me.id}
                onClick={() => setLeaving(person)}
              >
                <X className="size-4" />
              </IconButton>
            </span>
          </li>
        ))}
      </ul>
      {newLink.data && newLink.variables && (
        <div className="py-2">
          <PairingLink code={newLink.data} name={newLink.variables.name} />
        </div>
      )}
      <Invite onInvited={refresh} />
      <Confirm
        open={leaving !== undefined}
        onOpenChange={(isOpen) => !isOpen && setLeaving(undefined)}
        title={t('removePerson', { name: leaving?.name ?? '' })}
        text={t('removeText')}
        action={t('removePerson', { name: leaving?.name ?? '' })}
        onConfirm={() => leaving && remove.mutate(leaving.id)}
      />
    </Card>
  );
}

function stateOf(
  { browsers, invited }: ListedPerson,
  t: ReturnType<typeof useTranslations<'access'>>,
  time: (iso: string) => string,
): string {
  if (browsers > 0) return t('browserCount', { count: browsers });
  return invited === null ? t('noWayIn') : t('invited', { time: time(invited) });
}
