'use client';
import type { ConversationSummary } from '@anneal/core/protocol/conversations';
import { useMutation } from '@tanstack/react-query';
import { Trash2, Undo2 } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useLatest } from '../../agent/hooks.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button, IconButton } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';

/** What was talked about, the newest first. What is deleted can be brought back. */
export function ConversationList({
  current,
  onOpen,
}: {
  current: string | null;
  onOpen: (conversation: string | null) => void;
}) {
  const t = useTranslations('chat');
  const mayChange = useMay('editor');
  const isAway = useConnection() !== 'open' || !mayChange;
  const conversations = useLatest<ConversationSummary[]>((options) => agent().chat.list.subscribe(undefined, options));
  const [removed, setRemoved] = useState<ConversationSummary>();
  const remove = useMutation({
    mutationFn: ({ id }: ConversationSummary) => agent().chat.remove.mutate({ conversation: id }),
    onSuccess: (_, summary) => {
      setRemoved(summary);
      if (summary.id === current) onOpen(null);
    },
  });
  const restore = useMutation({
    mutationFn: ({ id }: ConversationSummary) => agent().chat.restore.mutate({ conversation: id }),
    onSuccess: (_, { id }) => {
      setRemoved(undefined);
      onOpen(id);
    },
  });
  const error = remove.error ?? restore.error;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] content-start gap-2 lg:sticky lg:top-16">
      {removed && (
        <div role="status" className="flex items-center gap-2 rounded-md bg-sunken py-1 pr-1 pl-3 text-[13px]">
          <span className="min-w-0 truncate">{t('removed', { title: removed.title })}</span>
          <Button className="ml-auto shrink-0" disabled={isAway} onClick={() => restore.mutate(removed)}>
            <Undo2 className="size-3.5" aria-hidden="true" />
            {t('undo')}
          </Button>
        </div>
      )}
      {error && <ErrorNote error={shownError(error)} />}
      {conversations?.length === 0 && <p className="px-2 text-[13px] text-muted">{t('noConversations')}</p>}
      <ul className="grid grid-cols-[minmax(0,1fr)] max-h-[calc(100dvh-9rem)] gap-px overflow-y-auto">
        {conversations?.map((summary) => (
          <Item
            key={summary.id}
            summary={summary}
            isCurrent={summary.id === current}
            onOpen={() => onOpen(summary.id)}
            onRemove={isAway ? undefined : () => remove.mutate(summary)}
          />
        ))}
      </ul>
    </div>
  );
}

function Item({
  summary: { id, title, changed, models, answering },
  isCurrent,
  onOpen,
  onRemove,
}: {
  summary: ConversationSummary;
  isCurrent: boolean;
  onOpen: () => void;
  onRemove: (() => void) | undefined;
}) {
  const t = useTranslations('chat');
  const format = useFormat();
  return (
    <li className={`group relative flex items-start rounded-md ${isCurrent ? 'bg-sunken' : 'hover:bg-sunken/60'}`}>
      <Link
        href={`/chat?id=${id}`}
        onClick={onOpen}
        aria-current={isCurrent ? 'true' : undefined}
        className="min-w-0 grow px-2.5 py-1.5"
      >
        <span className={`block truncate text-[13px] ${isCurrent ? 'font-medium' : ''}`}>{title}</span>
        <span className="figures flex items-center gap-1.5 text-[11.5px] text-muted">
          {answering && <span className="size-1.5 animate-breathe rounded-full bg-ember" />}
          {answering ? t('answering') : format.time(changed)}
          {models.length > 1 && <span>· {t('columns', { count: models.length })}</span>}
        </span>
      </Link>
      <IconButton
        label={t('remove', { title })}
        disabled={!onRemove}
        onClick={onRemove}
        className="mt-1 mr-1 size-7 shrink-0 opacity-0 focus-visible:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100"
      >
        <Trash2 className="size-3.5" />
      </IconButton>
    </li>
  );
}
