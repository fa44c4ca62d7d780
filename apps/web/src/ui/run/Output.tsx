'use client';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { SearchField } from '../SearchField.tsx';
import { Nothing } from './Samples.tsx';

/** What the process that trains has printed. */
export function Output({ run }: { run: ListedRun }) {
  const t = useTranslations('run');
  const [search, setSearch] = useState('');
  const active = run.state === 'running' || run.state === 'preparing';
  const { data, error } = useQuery({
    queryKey: ['output', run.key, active ? 'live' : run.seq],
    queryFn: () => agent().runs.output.query({ run: run.key }),
    refetchInterval: active ? 2000 : false,
  });
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!data) return null;
  if (data.text === '') return <Nothing title={t('noOutput')} />;
  const wanted = search.trim().toLowerCase();
  const lines = data.text.split('\n').filter((line) => line.toLowerCase().includes(wanted));
  return (
    <div>
      <div className="flex items-center gap-4 border-line border-b px-4 py-2">
        <SearchField value={search} onChange={setSearch} label={t('searchOutput')} />
        {wanted && <span className="figures text-[12.5px] text-muted">{t('matches', { count: lines.length })}</span>}
      </div>
      <pre
        tabIndex={0}
        aria-label={t('output')}
        className="max-h-[28rem] overflow-auto px-4 py-3 font-mono text-[12px] leading-[1.6]"
      >
        {lines.join('\n')}
      </pre>
      {data.cut && <p className="border-line border-t px-4 py-2 text-[12px] text-muted">{t('outputCut')}</p>}
    </div>
  );
}
