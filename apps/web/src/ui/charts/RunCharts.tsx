'use client';
/** The curves of a run: one cursor and one zoom for all of them. */
import { useCallback, useRef } from 'react';
import { useTranslations } from 'use-intl';
import type { Range } from '../../agent/growingSeries.ts';
import type { LiveRun } from '../../agent/liveRun.ts';
import { agentPath } from '../../agent/paths.ts';
import { useStore } from '../../agent/useLiveRun.ts';
import { Button, buttonClass } from '../Button.tsx';
import { Empty } from '../Empty.tsx';
import { useFormat } from '../format.ts';
import { Segmented } from '../Segmented.tsx';
import { Chart } from './Chart.tsx';
import { savePicture } from './picture.ts';
import { useRunCharts } from './useRunCharts.ts';
import { type XAxis, xAxes } from './xAxis.ts';

const smoothings = ['0', '0.6', '0.9', '0.97'] as const;

export interface RunChartsProps {
  run: LiveRun;
  range: Range;
  onRange: (range: Range) => void;
  smoothing: number;
  onSmoothing: (smoothing: number) => void;
  axis: XAxis;
  onAxis: (axis: XAxis) => void;
  /** The one whose rows are looked at. */
  step: number | null;
  /** Looks at another one, which was chosen in a chart, or at none. */
  onStep: (step: number | null) => void;
}

export function RunCharts({ run, range, onRange, smoothing, onSmoothing, axis, onAxis, step, onStep }: RunChartsProps) {
  const t = useTranslations('run');
  const format = useFormat();
  const onPoint = useCallback(
    (index: number | null) => void run.highestStep(index).then((highest) => highest !== null && onStep(highest)),
    [run, onStep],
  );
  const judged = useStore(run.judged) ?? '';
  const specs = useRunCharts(smoothing, axis, judged, useStore(run.rewardFunctions));
  const madeOf = judged.split(' ').includes('reward') ? 'answers' : 'rows';
  const charts = useRef<HTMLDivElement>(null);
  const alerts = useStore(run.alerts);
  const wasResumed = useStore(run.happenings)?.some(({ type }) => type === 'resumed') ?? false;
  const hasSteps = useStore(run.hasSteps);
  if (hasSteps === undefined) return null;
  if (!hasSteps) {
    return (
      <Empty title={t('noSteps')}>
        <p>{t('noStepsText')}</p>
      </Empty>
    );
  }
  return (
    <section aria-label={t('loss')} className="rounded-lg border border-line bg-surface">
      <div className="flex min-h-11 flex-wrap items-center gap-x-5 gap-y-2 border-line border-b px-4 py-2">
        <Legend hasAlerts={alerts.length > 0} wasResumed={wasResumed} />
        <div className="ml-auto flex flex-wrap items-center gap-x-4 gap-y-2">
          {range && (
            <span className="flex items-center gap-2">
              <span className="figures text-[12.5px] text-muted">
                {t('zoomed', { from: format.count(range[0]), to: format.count(range[1]) })}
              </span>
              <Button onClick={() => onRange(null)} className="h-7 px-2.5 text-[12.5px]">
                {t('zoomReset')}
              </Button>
            </span>
          )}
          <div className="flex items-center gap-2">
            <span className="label">{t('xAxis')}</span>
            <Segmented
              label={t('xAxis')}
              value={axis}
              onChange={(value) => onAxis(value as XAxis)}
              options={xAxes.map((value) => ({ value, name: t(`xAxes.${value}`) }))}
            />
          </div>
          <div className="flex items-center gap-2">
            <span className="label">{t('smoothing')}</span>
            <Segmented
              label={t('smoothing')}
              value={String(smoothing)}
              onChange={(value) => onSmoothing(Number(value))}
              options={smoothings.map((value) => ({ value, name: value === '0' ? t('off') : value }))}
            />
          </div>
        </div>
      </div>
      <div ref={charts} className="grid grid-cols-[minmax(0,1fr)] gap-x-6 gap-y-5 p-4 pl-3 lg:grid-cols-2">
        {specs.map((spec, index) => (
          <div key={spec.title} className={index === 0 ? 'lg:col-span-2' : ''}>
            <Chart
              spec={spec}
              series={run.series}
              range={range}
              onRange={onRange}
              step={step}
              alerts={alerts}
              onPoint={onPoint}
            />
          </div>
        ))}
      </div>
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2 border-line border-t px-4 py-2">
        <p className="text-[12px] text-muted max-sm:hidden">{t('zoomHint', { madeOf })}</p>
        <div className="ml-auto flex gap-2">
          <a
            href={agentPath(`/api/runs/steps?run=${encodeURIComponent(run.key)}`)}
            download
            title={t('csvHint')}
            className={`${buttonClass()} h-7 px-2.5 text-[12.5px]`}
          >
            CSV
          </a>
          <Button
            title={t('pngHint')}
            className="h-7 px-2.5 text-[12.5px]"
            onClick={() =>
              void savePicture(charts.current?.querySelectorAll('figure') ?? [], `${run.key.split('/').at(-1)}.png`)
            }
          >
            PNG
          </Button>
        </div>
      </div>
    </section>
  );
}

function Legend({ hasAlerts, wasResumed }: { hasAlerts: boolean; wasResumed: boolean }) {
  const t = useTranslations('run');
  return (
    <ul className="flex flex-wrap items-center gap-x-4 gap-y-1 text-[12px] text-muted">
      <Key name={t('smoothed')}>
        <rect y="5" width="16" height="2.5" rx="1.2" fill="var(--ember)" />
      </Key>
      <Key name={t('raw')}>
        <rect y="1" width="16" height="10" rx="1" fill="var(--faint)" opacity="0.3" />
        <rect y="5.5" width="16" height="1.2" fill="var(--faint)" />
      </Key>
      <Key name={t('evaluation')}>
        <rect y="5.5" width="16" height="1.5" fill="var(--teal)" />
        <circle cx="8" cy="6" r="3" fill="var(--teal)" />
      </Key>
      {hasAlerts && (
        <Key name={t('alert')}>
          <path d="M8 0 L11.5 6 L4.5 6 Z" fill="var(--warn)" />
          <path d="M8 6 V12" stroke="var(--warn)" strokeDasharray="2 2" />
        </Key>
      )}
      {wasResumed && (
        <Key name={t('resumed')}>
          <path d="M8 0 V12" stroke="var(--warn)" strokeDasharray="3 3" />
        </Key>
      )}
      <Key name={t('checkpoint')}>
        <path d="M8 2 L12 10 L4 10 Z" fill="var(--good)" />
      </Key>
    </ul>
  );
}

function Key({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <li className="flex items-center gap-1.5">
      <svg width="16" height="12" aria-hidden="true">
        {children}
      </svg>
      {name}
    </li>
  );
}
