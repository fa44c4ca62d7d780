'use client';
/** What a step sampled: its prompts, and all answers to one of them, the best first. */
import type { ListedAnswer } from '@anneal/core/protocol/answers';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { useAnswers } from '../../../agent/batches.ts';
import { ErrorNote, shownError } from '../../ErrorNote.tsx';
import { useFormat } from '../../format.ts';
import { StepPanel, type StepPanelProps } from '../batch/StepPanel.tsx';
import { StepRows } from '../batch/StepRows.tsx';
import { AdvantageLegend, Answer } from './Answer.tsx';
import { type AnsweredPrompt, answeredPrompts, meanReward } from './answeredPrompts.ts';

export function AnswersPanel({ run, step, onStep }: StepPanelProps & { run: ListedRun }) {
  const t = useTranslations('answers');
  const format = useFormat();
  const { data: answers, error } = useAnswers(run, step);
  const prompts = useMemo(() => answers && answeredPrompts(answers), [answers]);
  const place =
    answers &&
    prompts &&
    t('place', {
      answers: format.count(answers.length),
      prompts: prompts.length,
      reward: format.number(meanReward(answers)),
    });
  return (
    <StepPanel step={step} lastStep={run.totalSteps} onStep={onStep} place={place ?? null}>
      {error ? (
        <ErrorNote error={shownError(error)} />
      ) : answers && prompts ? (
        <Prompts key={step} prompts={prompts} largest={largestAdvantage(answers)} onClose={() => onStep(null)} />
      ) : (
        <p role="status" className="text-muted">
          {t('loading')}…
        </p>
      )}
    </StepPanel>
  );
}

const largestAdvantage = (answers: readonly ListedAnswer[]): number =>
  answers.reduce((largest, { advantage }) => Math.max(largest, Math.abs(advantage)), 0);

interface PromptsProps {
  prompts: readonly AnsweredPrompt[];
  /** Of all answers of the step, whatever its sign: it has the full color. */
  largest: number;
  onClose: () => void;
}

function Prompts({ prompts, largest, onClose }: PromptsProps) {
  const t = useTranslations('answers');
  const format = useFormat();
  return (
    <StepRows
      label={t('prompts')}
      keys={t('keys')}
      rows={prompts}
      figure={({ reward }) => (
        <span className="figures text-right text-[12.5px]" title={t('meanReward')}>
          {format.number(reward)}
        </span>
      )}
      onClose={onClose}
    >
      {(chosen) => <OnePrompt prompt={chosen} largest={largest} />}
    </StepRows>
  );
}

function OnePrompt({ prompt, largest }: { prompt: AnsweredPrompt; largest: number }) {
  const t = useTranslations('answers');
  const isEqual = prompt.answers.every(({ reward }) => reward === prompt.answers[0]?.reward);
  return (
    <div className="grid min-w-0 gap-3">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
        <h3 className="font-mono text-[12.5px] text-muted [overflow-wrap:anywhere]">
          {prompt.file}:{prompt.row}
        </h3>
        <AdvantageLegend largest={largest} />
      </div>
      <p className="whitespace-pre-wrap rounded-md bg-sunken px-3 py-2 font-mono text-[12.5px] [font-variant-ligatures:none] [overflow-wrap:anywhere]">
        {prompt.prompt}
      </p>
      {isEqual && <p className="text-[12.5px] text-muted">{t('equal')}</p>}
      <ol aria-label={t('answers')} className="divide-y divide-line rounded-md border border-line">
        {prompt.answers.map((answer) => (
          <Answer key={answer.answer} answer={answer} largest={largest} />
        ))}
      </ol>
    </div>
  );
}
