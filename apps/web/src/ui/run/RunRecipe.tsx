'use client';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { Segmented } from '../Segmented.tsx';

export function RunRecipe({ run }: { run: ListedRun }) {
  const t = useTranslations('run');
  const [shown, setShown] = useState<'written' | 'resolved'>('written');
  const { data, error } = useQuery({
    queryKey: ['recipe', run.key],
    queryFn: () => agent().runs.recipe.query({ run: run.key }),
  });
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!data) return null;
  return (
    <div>
      <div className="flex border-line border-b px-4 py-2">
        <Segmented
          label={t('recipe')}
          value={shown}
          onChange={(value) => setShown(value as typeof shown)}
          options={[
            { value: 'written', name: t('written') },
            { value: 'resolved', name: t('resolved') },
          ]}
        />
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
