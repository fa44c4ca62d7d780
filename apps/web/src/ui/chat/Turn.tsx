'use client';
import { isOngoing } from '@anneal/core/protocol/chatTerms';
import type { Chattable } from '@anneal/core/protocol/chattable';
import type { ChatSettings, Conversation } from '@anneal/core/protocol/conversations';
import { useQuery } from '@tanstack/react-query';
import { Pencil, RotateCcw } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button, IconButton } from '../Button.tsx';
import { AnswerColumn } from './AnswerColumn.tsx';
import type { AnswerView } from './AnswerViews.tsx';
import { Checkpoints } from './Checkpoints.tsx';
import { partingText, partingToken } from './parting.ts';

interface TurnProps {
  conversation: string;
  index: number;
  turn: Conversation['turns'][number];
  models: readonly Chattable[];
  settings: ChatSettings | undefined;
  view: AnswerView;
  /** Undefined while something is answered. */
  onEdit: ((text: string) => void) | undefined;
  /** Of the last one. */
  onRegenerate: (() => void) | undefined;
  onStop: (column: number) => void;
  /** What the tools gave that an answer called. Tells whether it was taken. */
  onResults: ((column: number, results: string[]) => Promise<boolean>) | undefined;
  isLast: boolean;
  /** How many turns an edit would take away. */
  loses: number;
}

const columnClass = ['', 'md:grid-cols-2', 'md:grid-cols-2 xl:grid-cols-3', 'md:grid-cols-2 xl:grid-cols-4'];

/** A question, and its answers beside each other. */
export function Turn({
  conversation,
  index,
  turn,
  models,
  settings,
  view,
  onEdit,
  onRegenerate,
  onStop,
  onResults,
  isLast,
  loses,
}: TurnProps) {
  const t = useTranslations('chat');
  const isAway = useConnection() !== 'open';
  const maySave = useMay('editor');
  const { answers } = turn;
  const made = answers.map(({ tokens, seed, state, earlier }) => `${seed} ${tokens} ${state} ${earlier.length}`).join();
  const { data: tokens } = useQuery({
    queryKey: ['chat-tokens', conversation, index, made],
    queryFn: () => agent().chat.tokens.query({ conversation, turn: index }),
    enabled: view === 'tokens' && !answers.some(isOngoing),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const question = { system: settings?.system ?? '', text: turn.text, hasTools: (settings?.tools ?? '').trim() !== '' };
  const parting = partingText(answers.map(({ text }) => text));
  return (
    <article aria-label={t('turn', { number: index + 1 })} className="grid gap-3">
      <Question text={turn.text} onEdit={isAway ? undefined : onEdit} loses={loses} />
      <div className={`grid gap-3 ${columnClass[answers.length - 1] ?? ''}`}>
        {answers.map((answer, column) => (
          <AnswerColumn
            // Columns keep their place.
            key={column}
            answer={answer}
            models={models}
            parting={parting}
            isFormatted={view === 'formatted'}
            tokens={view === 'tokens' ? tokens?.[column] : undefined}
            partingToken={tokens && partingToken(tokens)}
            onStop={answers.length > 1 ? () => onStop(column) : undefined}
            onResults={onResults && ((results) => onResults(column, results))}
            question={maySave ? question : null}
          />
        ))}
      </div>
      {isLast && !answers.some(isOngoing) && (
        <Checkpoints
          // Another answer is another question to the checkpoints.
          key={answers.map(({ model, seed, earlier }) => `${model} ${seed} ${earlier.length}`).join()}
          conversation={conversation}
          turn={turn}
          models={models}
          isFormatted={view !== 'text'}
        />
      )}
      {onRegenerate && (
        <div>
          <Button onClick={onRegenerate} disabled={isAway} title={t('regenerateHint')}>
            <RotateCcw className="size-3.5" aria-hidden="true" />
            {t('regenerate')}
          </Button>
        </div>
      )}
    </article>
  );
}

function Question({ text, onEdit, loses }: Pick<TurnProps, 'onEdit' | 'loses'> & { text: string }) {
  const t = useTranslations('chat');
  const [edited, setEdited] = useState<string>();
  if (edited === undefined || !onEdit) {
    return (
      <div className="group flex items-start gap-1">
        <p className="min-w-0 max-w-[72ch] whitespace-pre-wrap rounded-lg bg-sunken px-3.5 py-2 [overflow-wrap:anywhere]">
          {text}
        </p>
        {onEdit && (
          <IconButton
            label={t('edit')}
            onClick={() => setEdited(text)}
            className="shrink-0 opacity-0 focus-visible:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100"
          >
            <Pencil className="size-3.5" />
          </IconButton>
        )}
      </div>
    );
  }
  const send = () => {
    setEdited(undefined);
    onEdit(edited);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.preventDefault();
      setEdited(undefined);
    } else if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing && edited.trim() !== '') {
      event.preventDefault();
      send();
    }
  };
  return (
    <div className="grid max-w-[76ch] gap-2">
      <textarea
        // It appears where one has just clicked.
        ref={(area) => area?.focus()}
        value={edited}
        aria-label={t('edit')}
        onChange={(event) => setEdited(event.target.value)}
        onKeyDown={onKeyDown}
        className="field-sizing-content min-h-16 rounded-lg border border-line bg-surface px-3.5 py-2"
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary" disabled={edited.trim() === ''} onClick={send}>
          {t('resend')}
        </Button>
        <Button onClick={() => setEdited(undefined)}>{t('cancel')}</Button>
        {loses > 0 && <span className="text-[12.5px] text-warn">{t('loses', { count: loses })}</span>}
      </div>
    </div>
  );
}
