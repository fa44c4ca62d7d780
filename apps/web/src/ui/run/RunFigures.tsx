'use client';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';
import { Progress } from '../Progress.tsx';

/** Where a run is, in the figures one looks for first. */
export function RunFigures({ run }: { run: ListedRun }) {
  const t = useTranslations('run');
  const format = useFormat();
  const active = run.state === 'running' || run.state === 'preparing';
  const elapsed = useElapsed(run, active);
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
          <Figure name={t('left')} note={elapsed === null ? undefined : `${t('elapsed')} ${format.span(elapsed)}`}>
            {format.range(run.remaining)}
          </Figure>
        ) : (
          <Figure name={t('took')} note={format.time(run.created)}>
            {elapsed === null ? '–' : format.span(elapsed)}
          </Figure>
        )}
      </dl>
    </section>
  );
}

function Figure({ name, note, children }: { name: string; note?: string | undefined; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="label">{name}</dt>
      <dd className="figures mt-0.5 whitespace-nowrap font-medium text-[21px] leading-7 tracking-[-0.02em]">
        {children}
      </dd>
      <dd className="figures min-h-4 truncate text-[12px] text-muted leading-4">{note}</dd>
    </div>
  );
}

/** Seconds since the run was created, to now or to its last event. */
function useElapsed(run: ListedRun, active: boolean): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [active]);
  if (run.created === '') return null;
  const end = active ? Math.max(now, Date.parse(run.updated)) : Date.parse(run.updated);
  return Math.max(0, (end - Date.parse(run.created)) / 1000);
}
