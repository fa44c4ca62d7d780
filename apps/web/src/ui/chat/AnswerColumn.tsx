'use client';
import { isOngoing, openCalls } from '@anneal/core/protocol/chatTerms';
import type { Chattable } from '@anneal/core/protocol/chattable';
import type { ConversationAnswer, ShownToken } from '@anneal/core/protocol/conversations';
import { Check, Copy, ListPlus, Square } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslations } from 'use-intl';
import { fetchPart } from '../../agent/fetchPart.ts';
import { useConnection } from '../../agent/hooks.ts';
import { IconButton } from '../Button.tsx';
import { ErrorNote } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { EarlierParts, FoldedCall, type GivenCall, ResultsForm } from './Calls.tsx';
import { atSign, signWord } from './markWord.ts';
import { modelOf } from './modelNames.ts';
import { PartingWord } from './PartingWord.tsx';
import { endBeforeCalls, saidIn } from './parting.ts';
import { TokenView } from './TokenView.tsx';

const SaveAsRow = lazy(async () => ({ default: (await fetchPart(() => import('./SaveAsRow.tsx'))).SaveAsRow }));
const Formatted = lazy(async () => ({ default: (await fetchPart(() => import('./Formatted.tsx'))).Formatted }));

interface AnswerProps {
  answer: ConversationAnswer;
  models: readonly Chattable[];
  /** Characters that all answers begin with, where they differ after them. */
  parting: number | null;
  /** As Markdown, not as it was written. */
  isFormatted: boolean;
  tokens: readonly ShownToken[] | undefined;
  partingToken: number | null | undefined;
  /** Undefined where there is one answer alone, which the main button stops. */
  onStop: (() => void) | undefined;
  /** Gives what the called tools gave, and tells whether that was taken; undefined where nothing goes on from here. */
  onResults: ((results: string[]) => Promise<boolean>) | undefined;
  /** What was asked, to be saved as a row with the answer; null where that cannot be. */
  question: AskedQuestion | null;
}

interface AskedQuestion {
  system: string;
  text: string;
  /** Its row would be without the definitions. */
  hasTools: boolean;
}

/** What one model answers, as it comes. */
export function AnswerColumn({
  answer,
  models,
  parting,
  isFormatted,
  tokens,
  partingToken,
  onStop,
  onResults,
  question,
}: AnswerProps) {
  const t = useTranslations('chat');
  const name = useShownName(answer.model, models);
  const isGoing = isOngoing(answer);
  const isAway = useConnection() !== 'open';
  const hasCalls = answer.calls.length > 0 || answer.earlier.length > 0;
  const called = openCalls<GivenCall>(answer);
  return (
    <section
      aria-label={t('answerOf', { name })}
      aria-busy={isGoing}
      data-answer={answer.state}
      className="flex min-w-0 flex-col rounded-lg border border-line bg-surface"
    >
      <header className="flex min-h-9 items-center gap-2 border-line border-b py-1 pr-1 pl-3.5">
        <h3 className="min-w-0 truncate font-medium text-[13px]" title={answer.model}>
          {name}
        </h3>
        <div className="ml-auto flex shrink-0">
          {isGoing && onStop && (
            <IconButton label={t('stopOne', { name })} onClick={onStop} className="size-7">
              <Square className="size-3 fill-current" />
            </IconButton>
          )}
          {!isGoing && answer.text !== '' && question && (
            <SaveButton question={question} answer={answer.text} hasCalls={hasCalls} />
          )}
          {!isGoing && answer.text !== '' && <CopyButton text={answer.text} />}
        </div>
      </header>
      <div data-said className="grid min-w-0 grow content-start gap-2 px-3.5 py-3">
        <EarlierParts parts={answer.earlier} />
        {tokens && tokens.length > 0 ? (
          <TokenView tokens={tokens} parting={partingToken ?? null} label={t('tokensOf', { name })} />
        ) : (
          <Text answer={answer} parting={parting} isFormatted={isFormatted} />
        )}
        {answer.error && <ErrorNote error={answer.error} />}
        {!isGoing && onResults && called.length > 0 && (
          <ResultsForm
            // Other calls have other results.
            key={`${answer.seed} ${answer.earlier.length} ${JSON.stringify(called)}`}
            calls={called}
            isOff={isAway}
            onSend={onResults}
          />
        )}
        {answer.unread.length > 0
          ? answer.unread.map((parameter) => (
              <p key={parameter} className="text-[12.5px] text-warn">
                {t(`unread.${parameter}`)}
              </p>
            ))
          : answer.note && <p className="text-[12.5px] text-warn">{answer.note}</p>}
      </div>
      <Figures answer={answer} />
    </section>
  );
}

function useShownName(id: string, models: readonly Chattable[]): string {
  const t = useTranslations('chat');
  const format = useFormat();
  const { model, variant } = modelOf(id, models);
  if (!model) return id;
  if (model.kind !== 'run') return model.name;
  const hasNamesake = models.some((other) => other.kind === 'run' && other !== model && other.name === model.name);
  const name = hasNamesake ? `${model.name} · ${format.time(model.created)}` : model.name;
  const how =
    variant === null
      ? t('tuned')
      : variant === 'base'
        ? t('base')
        : /^\d+$/.test(variant)
          ? t('step', { step: Number(variant) })
          : variant;
  return `${name} · ${how}`;
}

function Text({
  answer,
  parting,
  isFormatted,
}: {
  answer: ConversationAnswer;
  parting: number | null;
  isFormatted: boolean;
}) {
  const t = useTranslations('chat');
  const { thought, isThinking, start } = saidIn(answer.text);
  if (answer.state === 'waiting' || answer.state === 'loading') {
    const percent = Math.round(100 * (answer.loaded ?? 0));
    return (
      <p role="status" className="text-muted">
        {answer.state === 'loading' ? t('loadingModel', { percent }) : t('waiting')}
      </p>
    );
  }
  const foldedAt = isFormatted ? endBeforeCalls(answer.text, answer.callsAt, start) : null;
  const isFolded = foldedAt !== null;
  const end = foldedAt ?? answer.text.length;
  const said: SaidProps = {
    text: answer.text.slice(start, end),
    parting: parting === null || parting < start || parting >= end ? null : parting - start,
    isGoing: answer.state === 'answering',
  };
  return (
    <>
      {thought !== null && (
        <details className="rounded-md bg-sunken px-3 py-1.5 text-[13px] text-muted">
          <summary>{isThinking ? t('thinks') : t('thought')}</summary>
          <p className="mt-1.5 whitespace-pre-wrap [overflow-wrap:anywhere]">{thought}</p>
        </details>
      )}
      {(said.text.trim() !== '' || !isFolded) && (
        <Suspense fallback={<Plain {...said} />}>
          {isFormatted ? <Formatted {...said} /> : <Plain {...said} />}
        </Suspense>
      )}
      {isFolded && answer.calls.map((call) => <FoldedCall key={call.id} call={call} />)}
      {answer.state !== 'answering' && answer.text === '' && !answer.error && (
        <p className="text-muted">{t('nothingSaid')}</p>
      )}
    </>
  );
}

interface SaidProps {
  text: string;
  /** Where it begins to differ from the other answers. */
  parting: number | null;
  isGoing: boolean;
}

/** As it was written. */
function Plain({ text, parting, isGoing }: SaidProps) {
  const parts = parting === null ? undefined : atSign(signWord(text, parting));
  return (
    <p className={`max-w-[76ch] whitespace-pre-wrap [overflow-wrap:anywhere] ${isGoing ? 'going' : ''}`}>
      {parts ? (
        <>
          {parts.before}
          <PartingWord word={parts.word} />
          {parts.after}
        </>
      ) : (
        text
      )}
    </p>
  );
}

function Figures({ answer }: { answer: ConversationAnswer }) {
  const t = useTranslations('chat');
  const format = useFormat();
  if (answer.tokens === 0) return null;
  const cut = answer.reason === null || answer.reason === 'stop' ? null : t(`cut.${answer.reason}`);
  return (
    <p className="figures flex flex-wrap gap-x-3 border-line border-t px-3.5 py-1.5 text-[11.5px] text-muted">
      <span>{t('tokenCount', { count: answer.tokens })}</span>
      {answer.tokensPerSecond !== null && answer.tokens > 1 && (
        <span>{t('speed', { value: format.number(answer.tokensPerSecond) })}</span>
      )}
      {answer.firstMilliseconds !== null && (
        <span title={t('firstHint')}>{t('first', { value: format.count(answer.firstMilliseconds) })}</span>
      )}
      <span>{t('seedOf', { seed: answer.seed })}</span>
      {cut && <span className="text-warn">{cut}</span>}
    </p>
  );
}

/** What the model thought first is left out. */
function SaveButton({ question, answer, hasCalls }: { question: AskedQuestion; answer: string; hasCalls: boolean }) {
  const t = useTranslations('chat');
  const [isOpen, setOpen] = useState(false);
  const said = { system: question.system, question: question.text, answer: answer.slice(saidIn(answer).start).trim() };
  return (
    <>
      <IconButton
        label={t(hasCalls ? 'saveRowCalls' : 'saveRow')}
        disabled={hasCalls}
        onClick={() => setOpen(true)}
        className="size-7"
      >
        <ListPlus className="size-3.5" />
      </IconButton>
      {isOpen && (
        <Suspense>
          <SaveAsRow said={said} hasTools={question.hasTools} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function CopyButton({ text }: { text: string }) {
  const t = useTranslations('error');
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <IconButton label={copied ? t('copied') : t('copy')} onClick={copy} className="size-7">
      {copied ? <Check className="size-3.5" /> : <Copy className="size-3.5" />}
    </IconButton>
  );
}
