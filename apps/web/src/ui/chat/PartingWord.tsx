'use client';
import { useTranslations } from 'use-intl';

/** The first word in which the answers differ. */
export function PartingWord({ word }: { word: string }) {
  const t = useTranslations('chat');
  return (
    <mark
      title={t('partsHere')}
      className="rounded-sm bg-ember-soft text-inherit underline decoration-2 decoration-ember underline-offset-4"
    >
      {word}
    </mark>
  );
}
