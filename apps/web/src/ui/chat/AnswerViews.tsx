'use client';
import { useTranslations } from 'use-intl';
import { answerViews } from '../../agent/addressValues.ts';
import { Segmented } from '../Segmented.tsx';

export type AnswerView = (typeof answerViews)[number];

export function AnswerViews({ value, onChange }: { value: AnswerView; onChange: (view: AnswerView) => void }) {
  const t = useTranslations('chat');
  const options = answerViews.map((view) => ({ value: view, name: t(`views.${view}`) }));
  return (
    <Segmented label={t('view')} value={value} onChange={(view) => onChange(view as AnswerView)} options={options} />
  );
}
