import { describe, expect, it } from 'vitest';
import { learningRateSchedule, type Schedule, warmupStepsOf } from './schedule.ts';

const base: Schedule = { kind: 'linear', peak: 1e-3, warmupSteps: 2, totalSteps: 10, minRatio: 0 };

function rates(schedule: Partial<Schedule>, steps: number): number[] {
  const rate = learningRateSchedule({ ...base, ...schedule });
  return Array.from({ length: steps }, (_, step) => rate(step));
}

function expectClose(actual: number[], expected: number[]) {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs((actual[i] ?? Number.NaN) - value)).toBeLessThan(1e-15);
}

describe('linear', () => {
  // `schedule` of the golden curves: torch's LambdaLR, peak 1e-3, 2 of 10 steps warm-up.
  it('gives the rates that PyTorch gave', () => {
    expectClose(rates({}, 10), [0, 5e-4, 1e-3, 8.75e-4, 7.5e-4, 6.25e-4, 5e-4, 3.75e-4, 2.5e-4, 1.25e-4]);
  });

  // `learning_rate` of the golden fine-tuning of SmolLM2: 2 of 12 steps warm-up.
  it('gives the rates of twelve real steps', () => {
    const golden = [
      0, 0.0005, 0.001, 0.0009000000000000001, 0.0008, 0.0007, 0.0006, 0.0005, 0.0004, 0.0003, 0.0002, 0.0001,
    ];
    expectClose(rates({ totalSteps: 12 }, 12), golden);
  });

  it('is 0 from the last step on', () => {
    expect(learningRateSchedule(base)(10)).toBe(0);
    expect(learningRateSchedule(base)(99)).toBe(0);
  });
});

describe('cosine', () => {
  it('goes down along half a period', () => {
    expectClose(rates({ kind: 'cosine', peak: 1, warmupSteps: 0, totalSteps: 4 }, 6), [
      1,
      0.5 + Math.SQRT1_2 / 2,
      0.5,
      0.5 - Math.SQRT1_2 / 2,
      0,
      0,
    ]);
  });

  it('ends at the given share of the peak', () => {
    expectClose(rates({ kind: 'cosine', peak: 2, warmupSteps: 1, totalSteps: 3, minRatio: 0.1 }, 4), [0, 2, 1.1, 0.2]);
  });
});

describe('constant', () => {
  it('has no warm-up, constant_with_warmup has one', () => {
    expect(rates({ kind: 'constant' }, 4)).toEqual([1e-3, 1e-3, 1e-3, 1e-3]);
    expect(rates({ kind: 'constant_with_warmup' }, 4)).toEqual([0, 5e-4, 1e-3, 1e-3]);
  });
});

describe('warm-up', () => {
  it('longer than the run never reaches the peak', () => {
    expectClose(rates({ warmupSteps: 4, totalSteps: 2 }, 2), [0, 2.5e-4]);
  });

  it('is counted in whole steps', () => {
    expect(warmupStepsOf({ warmup_steps: 7, warmup_ratio: null }, 100)).toBe(7);
    expect(warmupStepsOf({ warmup_steps: null, warmup_ratio: 0.03 }, 101)).toBe(4);
    expect(warmupStepsOf({ warmup_steps: null, warmup_ratio: 0 }, 101)).toBe(0);
  });
});
