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
import { togetherOf } from '../seeds/seedLines.ts';
import { ComparisonCsv } from './ComparisonCsv.tsx';
import { Legend } from './Legend.tsx';
import { charts, columnsOf, linesOf, stepsOf, styleOf } from './lines.ts';
import { OverlaidChart } from './OverlaidChart.tsx';

/** What every run has, over each other: one cursor, one zoom, one highlight. */
export function ComparedCharts({
  runs,
  joined,
  axis,
  onAxis,
}: {
  runs: readonly ComparedRun[];
  /** Runs that are drawn as one, by their indices: those that differ in their seeds. */
  joined: readonly (readonly number[])[];
  axis: XAxis;
  onAxis: (axis: XAxis) => void;
}) {
  const t = useTranslations('compare');
  const ofRun = useTranslations('run');
  const format = useFormat();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [highlighted, setHighlighted] = useState<string | null>(null);
  const drawn = useRef<HTMLDivElement>(null);
  const lines = useMemo(
    () =>
      linesOf(
        runs.map(({ run }) => run),
        joined,
      ),
    [runs, joined],
  );
  const byChart = useMemo(
    () =>
      charts
        .map((name) => ({
          name,
          runs: lines.flatMap((line) => {
            const members = line.runs.map((at) => {
              const { series } = runs[at] as ComparedRun;
              return { steps: stepsOf(name, series), columns: columnsOf(name, axis, series) };
            });
            const [first] = members;
            const columns = members.length === 1 && first ? first.columns : togetherOf(members);
            const isEmpty = columns[3].every((value) => value === null);
            return isEmpty ? [] : [{ key: line.key, name: line.name, style: styleOf(line.at), columns }];
          }),
        }))
        // What none of the runs has measured, such as the validation loss.
        .filter((chart) => chart.runs.length > 0),
    [runs, lines, axis],
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
          <Legend lines={lines} hidden={hidden} onToggle={toggle} onHighlight={setHighlighted} />
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
              key={`${axis} ${joined.length > 0}`}
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
        <p className="text-[12px] text-muted max-sm:hidden">
          {t('zoomHint')} {t(joined.length > 0 ? 'bandsOfSeeds' : 'bands')}
        </p>
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
