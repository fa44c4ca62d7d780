'use client';
import type { Chattable } from '@anneal/core/protocol/chattable';
import type { Conversation, ConversationAnswer } from '@anneal/core/protocol/conversations';
import { useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useMay } from '../../agent/useMe.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { AnswerColumn } from './AnswerColumn.tsx';
import { modelOf } from './modelNames.ts';
import { partingText } from './parting.ts';
import { useCheckpointAnswer } from './useCheckpointAnswer.ts';

interface Props {
  conversation: string;
  turn: Conversation['turns'][number];
  models: readonly Chattable[];
  isFormatted: boolean;
}

/** The last question through the checkpoints of a run: the same prompt and seed, each answer made once. */
export function Checkpoints({ conversation, turn, models, isFormatted }: Props) {
  const t = useTranslations('chat');
  const id = useId();
  const columns = runColumns(turn, models);
  const [wanted, setWanted] = useState(0);
  const [place, setPlace] = useState<number>();
  const [isOpen, setOpen] = useState(false);
  const chosen = columns[Math.min(wanted, columns.length - 1)];
  const mayAsk = useMay('editor');
  if (!chosen) return null;
  const { run, column, stops } = chosen;
  const at = Math.min(place ?? stops.length - 1, stops.length - 1);
  const nameOf = (stop: string) => (stop === 'base' ? t('base') : t('step', { step: Number(stop) }));
  const kept = (stop: string) => keptAnswer(turn, column, `${run.id}@${stop}`);
  const stop = stops[at] as string;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)} data-checkpoints>
      <summary className="cursor-pointer text-[13px] text-muted">{t('through')}</summary>
      <div className="mt-2 grid gap-3 rounded-lg border border-line bg-surface p-3.5">
        <div className="flex flex-wrap items-center gap-3">
          {columns.length > 1 && (
            <select
              aria-label={t('throughRun')}
              value={wanted}
              onChange={({ target }) => {
                setWanted(Number(target.value));
                setPlace(undefined);
              }}
              className="h-7 min-w-0 rounded-md border border-line bg-paper px-2 text-[13px]"
            >
              {columns.map((one, index) => (
                <option key={one.run.id} value={index}>
                  {one.run.name}
                </option>
              ))}
            </select>
          )}
          <label htmlFor={id} className="label">
            {t('throughSlider')}
          </label>
          <span className="figures ml-auto text-[13px]">{nameOf(stop)}</span>
        </div>
        <div>
          <input
            id={id}
            type="range"
            min={0}
            max={stops.length - 1}
            step={1}
            value={at}
            aria-valuetext={nameOf(stop)}
            onChange={({ target }) => setPlace(target.valueAsNumber)}
            className="w-full accent-ember"
          />
          <div className="flex justify-between px-1.5" aria-hidden="true">
            {stops.map((one) => (
              <span key={one} className={`size-1.5 rounded-full ${kept(one) ? 'bg-ember' : 'bg-line'}`} />
            ))}
          </div>
        </div>
        {isOpen && (
          <Shown
            key={stop}
            conversation={conversation}
            column={column}
            model={`${run.id}@${stop}`}
            kept={kept(stop)}
            beside={turn.answers[column]?.text ?? ''}
            mayAsk={mayAsk}
            models={models}
            isFormatted={isFormatted}
          />
        )}
      </div>
    </details>
  );
}

function Shown({
  conversation,
  column,
  model,
  kept,
  beside,
  mayAsk,
  models,
  isFormatted,
}: {
  conversation: string;
  column: number;
  model: string;
  kept: ConversationAnswer | undefined;
  /** What the model in the column has said. */
  beside: string;
  mayAsk: boolean;
  models: readonly Chattable[];
  isFormatted: boolean;
}) {
  const t = useTranslations('chat');
  const { answer: coming, error } = useCheckpointAnswer(conversation, column, kept || !mayAsk ? null : model);
  const answer = kept ?? coming;
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!answer) {
    return (
      <p role="status" className="text-[13px] text-muted">
        {mayAsk ? t('waiting') : t('onlyReads')}
      </p>
    );
  }
  return (
    <AnswerColumn
      answer={answer}
      models={models}
      parting={partingText([answer.text, beside])}
      isFormatted={isFormatted}
      tokens={undefined}
      partingToken={null}
      onStop={undefined}
      onResults={undefined}
      question={null}
    />
  );
}

/** Of each run that has answered the first column, with what one can drag through: what it began with, then its steps. */
function runColumns({ answers }: Conversation['turns'][number], models: readonly Chattable[]) {
  const seen = new Set<string>();
  return answers.flatMap(({ model: id }, column) => {
    const { model: run } = modelOf(id, models);
    if (run?.kind !== 'run' || seen.has(run.id)) return [];
    seen.add(run.id);
    const stops = [...(run.hasBase ? ['base'] : []), ...run.checkpoints.map(String)];
    return stops.length > 1 ? [{ run, column, stops }] : [];
  });
}

function keptAnswer({ answers, others }: Conversation['turns'][number], column: number, model: string) {
  return (
    answers.find((answer) => answer.model === model && answer.state === 'done') ??
    others.find((other) => other.model === model && other.column === column)
  );
}
