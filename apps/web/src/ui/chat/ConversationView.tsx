'use client';
import { isOngoing } from '@anneal/core/protocol/chatTerms';
import type { Chattable } from '@anneal/core/protocol/chattable';
import type { Conversation } from '@anneal/core/protocol/conversations';
import { useMutation } from '@tanstack/react-query';
import { parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryState } from 'nuqs';
import { useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { answerViews } from '../../agent/addressValues.ts';
import { agent } from '../../agent/connection.ts';
import { useMay } from '../../agent/useMe.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { AnswerViews } from './AnswerViews.tsx';
import { Composer } from './Composer.tsx';
import { ModelColumns } from './ModelColumns.tsx';
import { usualModels } from './modelNames.ts';
import { SettingsPanel } from './SettingsPanel.tsx';
import { usualSettings } from './settings.ts';
import { Turn } from './Turn.tsx';
import { useStickyEnd } from './useStickyEnd.ts';

/** A conversation, or the beginning of one. */
export function ConversationView({
  conversation,
  models,
  onCreated,
}: {
  conversation: Conversation | undefined;
  models: readonly Chattable[];
  onCreated: (conversation: string) => void;
}) {
  const t = useTranslations('chat');
  const id = conversation?.id ?? null;
  const [wanted, setWanted] = useQueryState('models', parseAsArrayOf(parseAsString));
  const [view, setView] = useQueryState('view', parseAsStringLiteral(answerViews).withDefault('formatted'));
  const [settings, setSettings] = useState(conversation?.settings ?? usualSettings);
  const chosen = wanted?.slice(0, 4) ?? conversation?.models ?? usualModels(models);
  const turns = conversation?.turns ?? [];
  const mayAsk = useMay('editor');
  const isAnswering = turns.at(-1)?.answers.some(isOngoing) ?? false;

  const ask = useMutation({
    mutationFn: ({ text, turn }: { text: string; turn?: number }) =>
      agent().chat.ask.mutate({
        conversation: id,
        text,
        models: chosen,
        settings,
        ...(turn !== undefined && { turn }),
      }),
    onSuccess: async ({ conversation: asked }) => {
      await setWanted(null);
      if (asked !== id) onCreated(asked);
    },
  });
  const regenerate = useMutation({
    mutationFn: () => agent().chat.regenerate.mutate({ conversation: id ?? '', models: chosen, settings }),
    onSuccess: () => setWanted(null),
  });
  const goOn = useMutation({
    mutationFn: (given: { column: number; results: string[] }) =>
      agent().chat.results.mutate({ conversation: id ?? '', ...given }),
  });
  const stop = useMutation({
    mutationFn: (column?: number) =>
      agent().chat.stop.mutate({ conversation: id ?? '', ...(column !== undefined && { column }) }),
  });
  useEffect(() => {
    if (!isAnswering) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) stop.mutate(undefined);
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [isAnswering, stop.mutate]);
  const end = useStickyEnd(conversation);
  const error = ask.error ?? regenerate.error ?? goOn.error ?? stop.error;
  return (
    <section aria-label={t('conversation')} className="flex min-w-0 flex-col gap-4">
      <div className="flex flex-wrap items-start gap-2 sm:flex-nowrap">
        <div className="min-w-0 grow">
          <ModelColumns chosen={chosen} models={models} onChange={(next) => void setWanted(next)} />
        </div>
        <div className="flex shrink-0 flex-wrap gap-2">
          {turns.length > 0 && <AnswerViews value={view} onChange={(next) => void setView(next)} />}
          <SettingsPanel settings={settings} onChange={setSettings} />
        </div>
      </div>
      <div className="grid grow content-start gap-6">
        {turns.length === 0 && (
          <div className="grid place-content-center gap-1 py-16 text-center">
            <p className="font-medium text-[15px]">{t('begin')}</p>
            <p className="max-w-md text-muted">{t('beginText')}</p>
          </div>
        )}
        {turns.length > 0 && view === 'tokens' && <p className="text-[12.5px] text-muted">{t('tokenKeys')}</p>}
        {turns.map((turn, index) => (
          <Turn
            // A turn that is edited takes the place of the one before.
            key={index}
            conversation={id ?? ''}
            index={index}
            turn={turn}
            models={models}
            settings={conversation?.settings}
            view={view}
            onEdit={isAnswering || !mayAsk ? undefined : (text) => ask.mutate({ text, turn: index })}
            onRegenerate={isAnswering || !mayAsk || index < turns.length - 1 ? undefined : () => regenerate.mutate()}
            onStop={(column) => stop.mutate(column)}
            onResults={
              mayAsk && index === turns.length - 1
                ? (column, results) => wasTaken(goOn.mutateAsync({ column, results }))
                : undefined
            }
            isLast={index === turns.length - 1}
            loses={turns.length - 1 - index}
          />
        ))}
        {!mayAsk && <p className="text-[13px] text-muted">{t('onlyReads')}</p>}
        {error && <ErrorNote error={shownError(error)} />}
      </div>
      <Composer
        isAnswering={isAnswering || ask.isPending}
        canAsk={chosen.length > 0 && mayAsk}
        onSend={(text) => wasTaken(ask.mutateAsync({ text }))}
        onStop={() => stop.mutate(undefined)}
      />
      <div ref={end} />
    </section>
  );
}

/** An error is shown by whoever asked. */
function wasTaken(asked: Promise<unknown>): Promise<boolean> {
  return asked.then(
    () => true,
    () => false,
  );
}
