import type { RunSeries } from '@anneal/core/protocol/studio';
import { expect, it } from 'vitest';
import { placeOfStep, stepAt, xAxes } from './xAxis.ts';

const series = { step: [10, 20, 30], tokens: [1000, 1500, 4000], seconds: [5, 6, 6] } as unknown as RunSeries;

it('a step stands between its buckets, and what stands there is the step', () => {
  expect(placeOfStep('tokens', series, 15)).toBe(1250);
  expect(stepAt('tokens', series, 1250)).toBe(15);
  expect(placeOfStep('step', series, 17)).toBe(17);
  expect(placeOfStep('time', series, 15)).toBe(5.5);
});

it('outside of the buckets the first and the last count, also where time stood still and where there is none', () => {
  for (const axis of xAxes) {
    if (axis === 'step') continue;
    expect(stepAt(axis, series, 0)).toBe(10);
    expect(stepAt(axis, series, 1e9)).toBe(30);
    expect(stepAt(axis, { step: [], tokens: [], seconds: [] } as unknown as RunSeries, 7)).toBe(7);
  }
  expect(stepAt('time', series, 6)).toBe(30);
});
