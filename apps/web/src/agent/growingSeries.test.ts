import { smoothNext, startSmoothing } from '@anneal/core/protocol/smoothing';
import { metrics, type RunSeries, type StepEvent } from '@anneal/core/protocol/studio';
import { expect, test } from 'vitest';
import { growSeries } from './growSeries.ts';

const created = Date.parse('2026-01-01T00:00:00Z');

const empty = () => ({ min: [], max: [], mean: [] });

/** One bucket of ten steps, of which only the loss was told. */
function bucketed(): RunSeries {
  const smoothing = startSmoothing(0.9);
  return {
    seq: 10,
    step: [10],
    seconds: [1],
    tokens: [1000],
    bands: {
      ...(Object.fromEntries(metrics.map((metric) => [metric, empty()])) as unknown as RunSeries['bands']),
      loss: { min: [1], max: [3], mean: [2] },
    },
    rewardByFunction: {},
    smoothedLoss: [smoothNext(smoothing, 2)],
    smoothing,
    evaluations: [],
    checkpoints: [],
    resumes: [],
    notFinite: [],
    extent: [1, 10],
  };
}

const step = (at: number, rest: Partial<StepEvent> = {}): StepEvent =>
  ({ type: 'step', seq: at, step: at, time: '2026-01-01T00:00:02Z', loss: 5, tokens: 100, ...rest }) as StepEvent;

test('each later step is a bucket, and what is measured for the first time has none before', () => {
  const series = bucketed();
  const steps = [step(11), step(12, { reward: 0.5, rewardByFunction: { short: 1 }, loss: null })];
  const happenings = [{ type: 'checkpoint', seq: 13, time: '', step: 12, path: 'checkpoints/12' } as const];
  growSeries(series, { steps, happenings, range: null, created });
  expect(series).toMatchObject({ step: [10, 11, 12], seconds: [1, 2, 2], tokens: [1000, 1100, 1200], extent: [1, 12] });
  expect(series).toMatchObject({ checkpoints: [12], notFinite: [12] });
  expect(series.bands.loss.max).toEqual([3, 5, null]);
  expect(series.bands.reward.mean).toEqual([null, null, 0.5]);
  expect(series.bands.divergence).toEqual({ min: [], max: [], mean: [] });
  expect(series.rewardByFunction['short']?.mean).toEqual([null, null, 1]);
});

test('steps outside of what is shown move the average and the extent alone', () => {
  const [all, part] = [bucketed(), bucketed()];
  const steps = [step(11), step(12), step(13)];
  growSeries(all, { steps, happenings: [], range: null, created });
  growSeries(part, { steps, happenings: [], range: [1, 11], created });
  expect(part.step).toEqual([10, 11]);
  expect(part.extent).toEqual([1, 13]);
  expect(part.smoothing).toEqual(all.smoothing);
});
