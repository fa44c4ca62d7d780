'use client';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import type { LiveRun } from '../../agent/liveRun.ts';
import { useStore } from '../../agent/useLiveRun.ts';
import { ExplainedTitle } from '../ExplainedTitle.tsx';
import { useFormat } from '../format.ts';
import { Progress } from '../Progress.tsx';

/** Where a run is, in the figures one looks for first. */
export function RunFigures({ live }: { live: LiveRun }) {
  const run = useStore(live.summary);
  return run ? <Figures run={run} /> : null;
}

function Figures({ run }: { run: ListedRun }) {
  const t = useTranslations('run');
  const format = useFormat();
  const active = run.state === 'running' || run.state === 'preparing';
  return (
    <section aria-label={t('step')} className="overflow-hidden rounded-lg border border-line bg-surface">
      <Progress step={run.step} total={run.totalSteps} active={active} />
      <dl className="grid grid-cols-2 gap-x-4 gap-y-4 px-4 py-3.5 sm:grid-cols-3 lg:grid-cols-6">
        <Figure name={t('step')} note={run.epoch > 0 ? t('epoch', { epoch: run.epoch.toFixed(2) }) : undefined}>
          {format.count(run.step)}
          {run.totalSteps !== null && <span className="text-[15px] text-muted"> / {format.count(run.totalSteps)}</span>}
        </Figure>
        <Figure name={t('loss')}>{format.number(run.loss)}</Figure>
        <Figure
          name={t('validation')}
          note={
            run.lowestEvaluationLoss === null
              ? undefined
              : t('lowest', { value: format.number(run.lowestEvaluationLoss) })
          }
        >
          {format.number(run.evaluationLoss)}
        </Figure>
        <Figure name={t('speed')} note={t('tokensPerSecond')}>
          {run.tokensPerSecond === null ? '–' : format.count(run.tokensPerSecond)}
        </Figure>
        <Figure
          name={t('memory')}
          note={run.peakMemory === null ? t('planned') : t('peak', { value: format.bytes(run.peakMemory) })}
        >
          {run.plannedMemory === null ? '–' : format.bytes(run.plannedMemory)}
        </Figure>
        {active ? (
          <Figure name={t('left')} note={run.created !== '' && <Elapsed run={run} />}>
            {format.range(run.remaining)}
          </Figure>
        ) : (
          <Figure name={t('took')} note={format.time(run.created)}>
            {run.created === '' ? '–' : format.span(secondsUntil(Date.parse(run.updated), run))}
          </Figure>
        )}
      </dl>
    </section>
  );
}

function Figure({ name, note, children }: { name: string; note?: ReactNode; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="label">
        <ExplainedTitle text={name} />
      </dt>
      <dd className="figures mt-0.5 whitespace-nowrap font-medium text-[21px] leading-7 tracking-[-0.02em]">
        {children}
      </dd>
      <dd className="figures min-h-4 truncate text-[12px] text-muted leading-4">{note}</dd>
    </div>
  );
}

/** The clock of a run that goes on: it alone is drawn each second. */
function Elapsed({ run }: { run: ListedRun }) {
  const t = useTranslations('run');
  const format = useFormat();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return `${t('elapsed')} ${format.span(secondsUntil(Math.max(now, Date.parse(run.updated)), run))}`;
}

/** Since the run was created. */
function secondsUntil(end: number, { created }: ListedRun): number {
  return Math.max(0, (end - Date.parse(created)) / 1000);
}
