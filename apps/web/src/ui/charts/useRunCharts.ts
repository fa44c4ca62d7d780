'use client';
/** What each chart of a run shows. */
import type { answerMetrics, Metric, RunSeries } from '@anneal/core/protocol/studio';
import { useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';
import { axisNumber } from './axisNumber.ts';
import type { ChartSpec, Line } from './chartSpec.ts';
import type { Marker } from './markers.ts';
import type { XAxis } from './xAxis.ts';

/** @param judged names of metrics, between spaces. @param functions names of reward functions, as JSON */
export function useRunCharts(smoothing: number, axis: XAxis, judged: string, functions: string): ChartSpec[] {
  const t = useTranslations('run');
  const format = useFormat();
  // Made anew with the language; a new specification is a new chart.
  return useMemo(() => {
    const formatX = axis === 'time' ? format.span : axis === 'tokens' ? axisNumber(format) : format.count;
    const small = { height: 150, x: axis, formatX, format: axisNumber(format) };
    const spec = (title: string, rest: Pick<ChartSpec, 'lines'> & Partial<ChartSpec>): ChartSpec => ({
      ...small,
      title,
      description: t('chartKeys', { title }),
      ...rest,
    });
    return [
      spec(t('loss'), { height: 300, lines: lossLines(t('raw'), t('smoothed'), smoothing > 0), markers: lossMarkers }),
      spec(t('gradNorm'), { lines: [banded(t('gradNorm'), 'gradNorm', 'muted')] }),
      spec(t('learningRate'), { lines: [line(t('learningRate'), 'learningRate', 'teal')] }),
      spec(t('speedTitle'), { lines: [banded(t('tokensPerSecond'), 'tokensPerSecond', 'teal')] }),
      spec(t('milliseconds'), { lines: [banded(t('milliseconds'), 'milliseconds', 'muted')] }),
      spec(t('memory'), { lines: [banded(t('memory'), 'memory', 'teal')], format: format.bytes, fromZero: true }),
      ...answerSpecs(
        judged.split(' '),
        functionSpecs(JSON.parse(functions), (name) => t('rewardOf', { name }), spec),
        t,
        spec,
      ),
    ];
  }, [t, smoothing, axis, judged, functions]);
}

type AnswerName = (typeof answerMetrics)[number];

/** Charts of answers that are preferred or were sampled, of what was measured. */
function answerSpecs(
  measured: readonly string[],
  ofFunctions: readonly ChartSpec[],
  t: (name: AnswerName | 'rewards' | 'logps') => string,
  spec: (title: string, rest: Pick<ChartSpec, 'lines'>) => ChartSpec,
): ChartSpec[] {
  const pair = (title: 'rewards' | 'logps', chosen: AnswerName, rejected: AnswerName): ChartSpec[] =>
    measured.includes(chosen) || measured.includes(rejected)
      ? [spec(t(title), { lines: [line(t(chosen), chosen, 'good'), line(t(rejected), rejected, 'bad')] })]
      : [];
  const single = (metric: AnswerName): ChartSpec[] =>
    measured.includes(metric) ? [spec(t(metric), { lines: [banded(t(metric), metric, 'teal')] })] : [];
  return [
    ...single('reward'),
    ...ofFunctions,
    ...single('rewardSpread'),
    ...single('rewardMargin'),
    ...single('rewardAccuracy'),
    ...pair('rewards', 'rewardChosen', 'rewardRejected'),
    ...pair('logps', 'logpChosen', 'logpRejected'),
    ...single('divergence'),
    ...single('clipShare'),
    ...single('balanceLoss'),
    ...single('answerTokens'),
    ...single('cutShare'),
    ...single('equalShare'),
  ];
}

/** Of several reward functions a chart each; of a single one, that of all rewards says the same. */
function functionSpecs(
  names: readonly string[],
  title: (name: string) => string,
  spec: (title: string, rest: Pick<ChartSpec, 'lines'>) => ChartSpec,
): ChartSpec[] {
  if (names.length < 2) return [];
  return names.map((name) => {
    const band: Line['band'] = ({ rewardByFunction }) => rewardByFunction[name] ?? { min: [], max: [] };
    const values: Line['values'] = ({ rewardByFunction }) => rewardByFunction[name]?.mean ?? [];
    return spec(title(name), { lines: [{ label: title(name), color: 'teal', width: 1, values, band }] });
  });
}

function lossLines(raw: string, smoothed: string, withSmoothed: boolean): Line[] {
  if (!withSmoothed) return [{ ...banded(raw, 'loss', 'ember'), width: 1.5 }];
  return [
    banded(raw, 'loss', 'faint'),
    { label: smoothed, color: 'ember', width: 2, values: (series) => series.smoothedLoss },
  ];
}

function lossMarkers({ evaluations, checkpoints, resumes, notFinite }: RunSeries): Marker[] {
  return [
    ...checkpoints.map((step): Marker => ({ kind: 'tick', step, color: 'good' })),
    ...resumes.map((step): Marker => ({ kind: 'line', step, color: 'warn' })),
    ...notFinite.map((step): Marker => ({ kind: 'line', step, color: 'bad' })),
    ...evaluations.map(({ step, loss }): Marker => ({ kind: 'point', step, value: loss, color: 'teal' })),
  ];
}

function line(label: string, metric: Metric, color: string): Line {
  return { label, color, width: 1.5, values: (series) => series.bands[metric].mean };
}

function banded(label: string, metric: Metric, color: string): Line {
  return { ...line(label, metric, color), width: 1, band: (series) => series.bands[metric] };
}
