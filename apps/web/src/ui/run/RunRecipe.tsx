'use client';
import { useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import type { RunFacts } from '../../agent/liveRun.ts';
import { recipeOfRunQuery } from '../../agent/recipeOfRun.ts';
import { buttonClass } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { Segmented } from '../Segmented.tsx';

export function RunRecipe({ run }: { run: RunFacts }) {
  const t = useTranslations('run');
  const [shown, setShown] = useState<'written' | 'resolved'>('written');
  const { data, error } = useQuery(recipeOfRunQuery(run.key));
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!data) return null;
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2">
        <Segmented
          label={t('recipe')}
          value={shown}
          onChange={(value) => setShown(value as typeof shown)}
          options={[
            { value: 'written', name: t('written') },
            { value: 'resolved', name: t('resolved') },
          ]}
        />
        {data.file !== null && (
          <Link
            href={`/recipes?recipe=${encodeURIComponent(data.file)}`}
            className={`${buttonClass()} ml-auto h-7! max-w-full px-2.5! text-[12.5px]!`}
          >
            {t('openRecipe')}
          </Link>
        )}
      </div>
      <pre
        tabIndex={0}
        aria-label={t('recipe')}
        className="max-h-[32rem] overflow-auto px-4 py-3 font-mono text-[12px] leading-[1.6]"
      >
        {data[shown]}
      </pre>
    </div>
  );
}
