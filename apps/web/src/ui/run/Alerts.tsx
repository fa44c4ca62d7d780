'use client';
import type { Alert } from '@anneal/core/protocol/alerts';
import { openAlerts } from '@anneal/core/protocol/openAlerts';
import { useMutation } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import type { RunFacts } from '../../agent/liveRun.ts';
import { useIsOff, useMay } from '../../agent/useMe.ts';
import { useProblemText } from '../../i18n/problems.tsx';
import { AgentWords } from '../AgentWords.tsx';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';

/** What somebody should look at, the newest first; below it what somebody has looked at. */
export function Alerts({ run, onStep }: { run: RunFacts; onStep: (step: number) => void }) {
  const t = useTranslations('alert');
  const acknowledge = useMutation({
    mutationFn: (alerts: readonly Alert[]) =>
      agent().runs.acknowledge.mutate({ run: run.key, alerts: alerts.map(({ code, seq }) => ({ code, seq })) }),
  });
  const may = useMay('operator');
  const isOff = useIsOff('operator') || acknowledge.isPending;
  const open = openAlerts(run.alerts).toReversed();
  const seen = run.alerts.filter(({ acknowledged }) => acknowledged !== null).toReversed();
  if (run.alerts.length === 0) return null;
  const list = (alerts: readonly Alert[]) => (
    <ul className="grid gap-3">
      {alerts.map((alert) => (
        <Line key={`${alert.code} ${alert.seq}`} alert={alert} onStep={onStep}>
          {may && alert.acknowledged === null && (
            <Button className="h-7 px-2.5 text-[12.5px]" disabled={isOff} onClick={() => acknowledge.mutate([alert])}>
              {t('acknowledge')}
            </Button>
          )}
        </Line>
      ))}
    </ul>
  );
  return (
    <section aria-label={t('title', { count: run.alerts.length })} className="grid gap-3">
      {open.length > 0 && (
        <div role="alert" className="grid gap-3 rounded-lg border border-warn/30 bg-warn-soft px-4 py-3">
          {open.length > 1 && (
            <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
              <p className="font-semibold">{t('title', { count: open.length })}</p>
              {may && (
                <Button className="h-7 px-2.5 text-[12.5px]" disabled={isOff} onClick={() => acknowledge.mutate(open)}>
                  {t('acknowledgeAll')}
                </Button>
              )}
            </div>
          )}
          {list(open)}
        </div>
      )}
      {acknowledge.error && <ErrorNote error={shownError(acknowledge.error)} />}
      {seen.length > 0 && (
        <details className="rounded-lg border border-line bg-surface px-4 py-2 text-[13px]">
          <summary className="cursor-pointer text-muted">{t('seen', { count: seen.length })}</summary>
          <div className="pt-3 pb-1">{list(seen)}</div>
        </details>
      )}
    </section>
  );
}

function Line({
  alert: { code, what, next, step, time, lasts, acknowledged },
  onStep,
  children,
}: {
  alert: Alert;
  onStep: (step: number) => void;
  children: React.ReactNode;
}) {
  const t = useTranslations('alert');
  const format = useFormat();
  const told = useProblemText()({ code, what, next });
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-2.5 text-[13px] [overflow-wrap:anywhere] sm:grid-cols-[auto_minmax(0,1fr)_auto]">
      <TriangleAlert className="mt-0.5 size-4 text-warn" aria-hidden="true" />
      <div>
        <p className="flex flex-wrap items-baseline gap-x-3">
          <span className="font-medium">{t(`kinds.${code}`)}</span>
          {step > 0 && (
            <button type="button" className="text-ember underline underline-offset-2" onClick={() => onStep(step)}>
              {t('step', { step: format.count(step) })}
            </button>
          )}
          <time dateTime={time} className="figures text-muted">
            {format.time(time)}
          </time>
          {lasts && <span className="text-warn">{t('lasts')}</span>}
        </p>
        <p>{told.what}</p>
        <p className="text-muted">{told.next}</p>
        <AgentWords said={told.said} />
        {acknowledged && (
          <p className="text-muted">{t('seenBy', { name: acknowledged.by, time: format.time(acknowledged.time) })}</p>
        )}
      </div>
      <div className="max-sm:col-start-2 max-sm:mt-2">{children}</div>
    </li>
  );
}
