import { smoothNext, startSmoothing } from '@anneal/core/protocol/smoothing';
import { metrics, type RunSeries, type StepEvent } from '@anneal/core/protocol/studio';
import { expect, test } from 'vitest';
import { GrowingSeries } from './growingSeries.ts';

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
  new GrowingSeries(series).add({ steps, happenings, range: null, created });
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
  new GrowingSeries(all).add({ steps, happenings: [], range: null, created });
  new GrowingSeries(part).add({ steps, happenings: [], range: [1, 11], created });
  expect(part.step).toEqual([10, 11]);
  expect(part.extent).toEqual([1, 13]);
  expect(part.smoothing).toEqual(all.smoothing);
});

test('where the buckets before have several steps, later ones have as many, and a spike stays in its bucket', () => {
  const series = bucketed();
  Object.assign(series, { step: [5, 10], seconds: [1, 1], tokens: [500, 1000], smoothedLoss: [2, 2] });
  for (const column of Object.values(series.bands.loss)) column.push(2);
  const growing = new GrowingSeries(series);
  const add = (...steps: StepEvent[]) => growing.add({ steps, happenings: [], range: null, created });
  add(step(11, { loss: 1 }), step(12, { loss: 9, reward: 1 }));
  expect(series).toMatchObject({ step: [5, 10, 12], tokens: [500, 1000, 1200], seconds: [1, 1, 2] });
  add(step(13, { loss: null }), step(14, { loss: 2, reward: 2 }), step(15, { loss: 4 }), step(16, { loss: 3 }));
  expect(series).toMatchObject({ step: [5, 10, 15, 16], tokens: [500, 1000, 1500, 1600], extent: [1, 16] });
  expect(series.bands.loss).toMatchObject({ min: [1, 2, 1, 3], max: [3, 2, 9, 3], mean: [2, 2, 4, 3] });
  expect(series.bands.reward.mean).toEqual([null, null, 1.5, null]);
});
