'use client';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import type { LiveRun, RunFacts } from '../../agent/liveRun.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useSettled } from '../recipe/useSettled.ts';
import { SearchField } from '../SearchField.tsx';
import { Nothing } from './Samples.tsx';

/** What the process that trains has printed. */
export function Output({ live, run }: { live: LiveRun; run: RunFacts }) {
  const t = useTranslations('run');
  const [search, setSearch] = useState('');
  const active = run.state === 'running' || run.state === 'preparing';
  const { data, error } = useQuery({
    queryKey: ['output', run.key, active ? 'live' : live.seq],
    queryFn: () => agent().runs.output.query({ run: run.key }),
    refetchInterval: active ? 2000 : false,
  });
  const wanted = search.trim();
  const asked = useSettled(wanted, 300);
  // All of it is searched, not only the end that is shown.
  const found = useQuery({
    queryKey: ['output', run.key, active ? 'live' : live.seq, asked],
    queryFn: ({ signal }) => agent().runs.searchOutput.query({ run: run.key, text: asked }, { signal }),
    enabled: asked !== '',
    refetchInterval: active ? 5000 : false,
  });
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!data) return null;
  if (data.text === '') return <Nothing title={t('noOutput')} />;
  const text = wanted === '' ? data.text : found.data?.lines.map((line) => `${line.number}: ${line.text}`).join('\n');
  return (
    <div>
      <div className="flex items-center gap-4 border-line border-b px-4 py-2">
        <SearchField value={search} onChange={setSearch} label={t('searchOutput')} />
        {wanted && (
          <span className="figures text-[12.5px] text-muted" role="status">
            {found.data ? t('matches', { count: found.data.count }) : !found.error && t('searching')}
          </span>
        )}
      </div>
      {wanted !== '' && found.error && <ErrorNote error={shownError(found.error)} />}
      <pre
        tabIndex={0}
        aria-label={t('output')}
        className="max-h-[28rem] overflow-auto px-4 py-3 font-mono text-[12px] leading-[1.6]"
      >
        {text}
      </pre>
      {wanted === '' && data.cut && <Below>{t('outputCut')}</Below>}
      {wanted !== '' && found.data && found.data.count > found.data.lines.length && (
        <Below>{t('newestMatches', { count: found.data.lines.length })}</Below>
      )}
    </div>
  );
}

function Below({ children }: { children: React.ReactNode }) {
  return <p className="border-line border-t px-4 py-2 text-[12px] text-muted">{children}</p>;
}
