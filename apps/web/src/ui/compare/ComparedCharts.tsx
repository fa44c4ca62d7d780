'use client';
import { useMemo, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import type { ComparedRun } from '../../agent/useComparison.ts';
import { Button } from '../Button.tsx';
import { axisNumber } from '../charts/axisNumber.ts';
import { savePicture } from '../charts/picture.ts';
import { type XAxis, xAxes } from '../charts/xAxis.ts';
import { useFormat } from '../format.ts';
import { Segmented } from '../Segmented.tsx';
import { ComparisonCsv } from './ComparisonCsv.tsx';
import { Legend } from './Legend.tsx';
import { charts, columnsOf, styleOf } from './lines.ts';
import { OverlaidChart } from './OverlaidChart.tsx';

const nameOf = (key: string): string => key.split('/').at(-1) as string;

/** What every run has, over each other: one cursor, one zoom, one highlight. */
export function ComparedCharts({
  runs,
  axis,
  onAxis,
}: {
  runs: readonly ComparedRun[];
  axis: XAxis;
  onAxis: (axis: XAxis) => void;
}) {
  const t = useTranslations('compare');
  const ofRun = useTranslations('run');
  const format = useFormat();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [highlighted, setHighlighted] = useState<string | null>(null);
  const drawn = useRef<HTMLDivElement>(null);
  const byChart = useMemo(
    () =>
      charts
        .map((name) => ({
          name,
          runs: runs.flatMap(({ run, series }, at) => {
            const columns = columnsOf(name, axis, series);
            const isEmpty = columns[3].every((value) => value === null);
            return isEmpty ? [] : [{ key: run.key, name: nameOf(run.key), style: styleOf(at), columns }];
          }),
        }))
        // What none of the runs has measured, such as the validation loss.
        .filter((chart) => chart.runs.length > 0),
    [runs, axis],
  );
  const formatX = axis === 'time' ? format.span : axis === 'tokens' ? axisNumber(format) : format.count;
  const toggle = (key: string) => {
    const next = new Set(hidden);
    if (!next.delete(key)) next.add(key);
    setHidden(next);
  };
  return (
    <div className="rounded-lg border border-line bg-surface">
      <div className="flex flex-wrap items-start gap-x-5 gap-y-2 border-line border-b px-4 py-2">
        <div className="min-w-0 grow basis-80">
          <Legend runs={runs} hidden={hidden} onToggle={toggle} onHighlight={setHighlighted} />
        </div>
        <div className="flex items-center gap-2">
          <span className="label">{ofRun('xAxis')}</span>
          <Segmented
            label={ofRun('xAxis')}
            value={axis}
            onChange={(value) => onAxis(value as XAxis)}
            options={xAxes.map((value) => ({ value, name: ofRun(`xAxes.${value}`) }))}
          />
        </div>
      </div>
      <div ref={drawn} className="grid grid-cols-[minmax(0,1fr)] gap-x-6 gap-y-5 p-4 pl-3 lg:grid-cols-2">
        {byChart.map((chart, at) => (
          <div key={chart.name} className={at === 0 ? 'lg:col-span-2' : ''}>
            <OverlaidChart
              key={axis}
              title={t(`chartNames.${chart.name}`)}
              height={at === 0 ? 300 : 170}
              runs={chart.runs}
              hidden={hidden}
              highlighted={highlighted}
              onHighlight={setHighlighted}
              formatX={formatX}
              format={chart.name === 'memory' ? format.bytes : axisNumber(format)}
            />
          </div>
        ))}
      </div>
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2 border-line border-t px-4 py-2">
        <p className="text-[12px] text-muted max-sm:hidden">{t('zoomHint')}</p>
        <div className="ml-auto flex gap-2">
          <ComparisonCsv runs={runs.map(({ run }) => run.key)} title={t('csvSteps')} steps />
          <Button
            title={ofRun('pngHint')}
            className="h-7 px-2.5 text-[12.5px]"
            onClick={() => void savePicture(drawn.current?.querySelectorAll('figure') ?? [], 'compared-runs.png')}
          >
            PNG
          </Button>
        </div>
      </div>
    </div>
  );
}
