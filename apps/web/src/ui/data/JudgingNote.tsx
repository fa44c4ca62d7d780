'use client';
import type { DataSourceName, JudgingState } from '@anneal/core/protocol/dataView';
import { useMutation } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Progress } from '../Progress.tsx';

/** How far the verdicts on all rows are known, and how to find out more. */
export function JudgingNote({ name, rows, judging }: { name: DataSourceName; rows: number; judging: JudgingState }) {
  const t = useTranslations('data');
  const format = useFormat();
  const mayJudge = useMay('editor');
  const judge = useMutation({ mutationFn: () => agent().data.judge.mutate(name) });
  const stop = useMutation({ mutationFn: () => agent().data.stopJudging.mutate(name) });
  const failure = judge.error ?? stop.error;
  return (
    <>
      {judging.state === 'working' && (
        <div className="flex items-center gap-3 text-[13px]">
          <div className="w-40 shrink-0">
            <Progress step={judging.judged} total={rows} active />
          </div>
          <span role="status" className="figures text-muted">
            {t('judging', { judged: format.count(judging.judged), rows: format.count(rows) })}
          </span>
          {mayJudge && (
            <Button className="h-7 px-2.5 text-[12.5px]" onClick={() => stop.mutate()}>
              {t('stop')}
            </Button>
          )}
        </div>
      )}
      {mayJudge && (judging.state === 'none' || judging.state === 'stopped') && (
        <div className="flex flex-wrap items-center gap-3 text-[13px]">
          <Button className="h-7 px-2.5 text-[12.5px]" onClick={() => judge.mutate()}>
            {t('judge')}
          </Button>
          <span className="text-muted">{t('judgeHint')}</span>
        </div>
      )}
      {judging.error && (
        <ErrorNote title={t(judging.state === 'failed' ? 'failed' : 'refused')} error={judging.error} />
      )}
      {failure && <ErrorNote error={shownError(failure)} />}
    </>
  );
}
