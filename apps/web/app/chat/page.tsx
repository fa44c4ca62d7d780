'use client';
import { useQuery } from '@tanstack/react-query';
import { MessagesSquare, SquarePen } from 'lucide-react';
import Link from 'next/link';
import { parseAsString, useQueryState } from 'nuqs';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../src/agent/connection.ts';
import { useHasSocket } from '../../src/agent/hooks.ts';
import { useConversation } from '../../src/agent/liveConversation.ts';
import { Button, buttonClass } from '../../src/ui/Button.tsx';
import { ConversationList } from '../../src/ui/chat/ConversationList.tsx';
import { ConversationView } from '../../src/ui/chat/ConversationView.tsx';
import { Empty } from '../../src/ui/Empty.tsx';
import { ErrorNote, shownError } from '../../src/ui/ErrorNote.tsx';

export default function ChatScreen() {
  const t = useTranslations('chat');
  const enabled = useHasSocket();
  const [id, setId] = useQueryState('id', parseAsString.withOptions({ history: 'push' }));
  const [, setModels] = useQueryState('models', parseAsString);
  const [isListOpen, setListOpen] = useState(false);
  /** Another new conversation is another form. */
  const [fresh, setFresh] = useState(0);
  const { data: models, error } = useQuery({
    queryKey: ['chat-models'],
    queryFn: () => agent().chat.models.query(),
    enabled,
  });
  const { conversation, error: lost } = useConversation(id);
  const open = (wanted: string | null) => {
    void setId(wanted);
    void setModels(null);
    setListOpen(false);
    if (wanted === null) setFresh((count) => count + 1);
  };
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <div className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="font-semibold text-[22px] leading-8 tracking-[-0.015em]">{t('title')}</h1>
        <div className="ml-auto flex gap-2 lg:hidden">
          <Button aria-expanded={isListOpen} onClick={() => setListOpen(!isListOpen)}>
            <MessagesSquare className="size-3.5" aria-hidden="true" />
            {t('conversations')}
          </Button>
        </div>
        <Button onClick={() => open(null)}>
          <SquarePen className="size-3.5" aria-hidden="true" />
          {t('new')}
        </Button>
      </div>
      {error && <ErrorNote error={shownError(error)} />}
      {!models && !error && (
        <p className="text-muted" role="status">
          {t('loading')}…
        </p>
      )}
      {models && (
        <div className="grid grow gap-5 lg:grid-cols-[15rem_minmax(0,1fr)]">
          <aside aria-label={t('conversations')} className={`min-w-0 ${isListOpen ? '' : 'max-lg:hidden'}`}>
            <ConversationList current={id} onOpen={open} />
          </aside>
          {models.length === 0 && !id ? (
            <div>
              <Empty title={t('noModels')}>
                <p>{t('noModelsText')}</p>
                <Link href="/recipes" className={buttonClass('primary')}>
                  {t('noModelsAction')}
                </Link>
              </Empty>
            </div>
          ) : lost ? (
            <div>
              <ErrorNote error={shownError(lost)} />
            </div>
          ) : id === null || conversation ? (
            <ConversationView
              key={id ?? `new ${fresh}`}
              conversation={conversation}
              models={models}
              onCreated={(created) => void setId(created)}
            />
          ) : (
            <p className="text-muted" role="status">
              {t('opening')}…
            </p>
          )}
        </div>
      )}
    </>
  );
}
