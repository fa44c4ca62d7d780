import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ResolvedRecipe, resolveRecipe } from '../recipe/resolve.ts';
import type { Recipe } from '../recipe/schema.ts';
import { scheduleDefaults } from '../recipe/sections/schedule.ts';
import { learningRateSchedule, type Schedule, warmupStepsOf } from './schedule.ts';
import { refuseLongSchedule, scheduleOptions } from './scheduleOptions.ts';

const base = { peak: 1e-3, warmupSteps: 2, totalSteps: 10 };
const linear: Schedule = { ...base, kind: 'linear' };

function rates(schedule: Schedule, steps: number): number[] {
  const rate = learningRateSchedule(schedule);
  return Array.from({ length: steps }, (_, step) => rate(step));
}

function expectClose(actual: number[], expected: number[]) {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs((actual[i] ?? Number.NaN) - value)).toBeLessThan(1e-15);
}

interface GoldenCase {
  lr_scheduler: NonNullable<Recipe['lr_scheduler']>;
  warmup_steps: number;
  max_steps: number;
  lr_scheduler_kwargs: NonNullable<Recipe['lr_scheduler_kwargs']>;
  rates: number[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/schedules/transformers.json', import.meta.url), 'utf8'),
) as { learning_rate: number; cases: GoldenCase[] };

function resolved(changes: Partial<Recipe>): ResolvedRecipe {
  const recipe: Recipe = { base_model: 'm', datasets: [{ path: 'd.jsonl' }], ...changes };
  return resolveRecipe(recipe, { baseDirectory: '/', exists: () => true });
}

describe("transformers' schedules", () => {
  it.each(golden.cases)('$lr_scheduler with $lr_scheduler_kwargs', ({ rates: theirs, ...keys }) => {
    const recipe = resolved({ learning_rate: golden.learning_rate, ...keys });
    const ours = rates(scheduleOptions(recipe, keys.max_steps), keys.max_steps);
    // The last bit of a cosine or of a power is the mathematical library's.
    const exact = !['cosine', 'polynomial', 'warmup_stable_decay'].some((name) => keys.lr_scheduler.startsWith(name));
    if (exact) expect(ours).toEqual(theirs);
    for (const [i, rate] of ours.entries()) {
      expect(Math.abs(rate - (theirs[i] as number))).toBeLessThanOrEqual(2 ** -52 * golden.learning_rate);
    }
  });

  it('are each among them', () => {
    expect(new Set(golden.cases.map((each) => each.lr_scheduler))).toEqual(new Set(Object.keys(scheduleDefaults)));
  });
});

describe('linear', () => {
  // `learning_rate` of the golden fine-tuning of SmolLM2: 2 of 12 steps warm-up.
  it('gives the rates of twelve real steps', () => {
    expect(rates({ ...linear, totalSteps: 12 }, 12)).toEqual([
      0, 0.0005, 0.001, 0.0009000000000000001, 0.0008, 0.0007, 0.0006, 0.0005, 0.0004, 0.0003, 0.0002, 0.0001,
    ]);
  });

  it('is 0 from the last step on', () => {
    expect(learningRateSchedule(linear)(10)).toBe(0);
    expect(learningRateSchedule(linear)(99)).toBe(0);
  });
});

describe('cosine', () => {
  it('ends at the given share of the peak', () => {
    const schedule: Schedule = { peak: 2, warmupSteps: 1, totalSteps: 3, kind: 'cosine', cycles: 0.5, minRatio: 0.1 };
    expectClose(rates(schedule, 5), [0, 2, 1.1, 0.2, 0.2]);
  });
});

describe('after the last step', () => {
  it.each([
    ['cosine_with_restarts', { num_cycles: 3 }, 0],
    ['polynomial', { lr_end: 1e-5 }, 1e-5],
    ['warmup_stable_decay', { num_decay_steps: 3, min_lr_ratio: 0.1 }, 3e-5],
    ['cosine_warmup_with_min_lr', { min_lr: 3e-5 }, 3e-5],
  ] as const)('%s holds its end', (lr_scheduler, lr_scheduler_kwargs, end) => {
    const recipe = resolved({ learning_rate: 3e-4, lr_scheduler, lr_scheduler_kwargs, warmup_steps: 2 });
    const rate = learningRateSchedule(scheduleOptions(recipe, 9));
    expectClose([rate(9), rate(10), rate(1000)], [end, end, end]);
  });

  it('WSD of a longer run is the same up to the decay of the shorter one', () => {
    const recipe = resolved({
      lr_scheduler: 'warmup_stable_decay',
      lr_scheduler_kwargs: { num_decay_steps: 4 },
      warmup_steps: 2,
    });
    const [short, long] = [10, 20].map((steps) => rates(scheduleOptions(recipe, steps), 20)) as [number[], number[]];
    expect(long.slice(0, 7)).toEqual(short.slice(0, 7));
    expect(long[7]).toBeGreaterThan(short[7] as number);
  });
});

describe('warm-up', () => {
  it('longer than the run never reaches the peak', () => {
    expectClose(rates({ ...linear, warmupSteps: 4, totalSteps: 2 }, 2), [0, 2.5e-4]);
  });

  it('that is written as longer than the run is refused, one that is a share of it is not', () => {
    expect(() => refuseLongSchedule(resolved({ warmup_steps: 9 }), 9)).toThrow(
      /warm-up of 9 steps .* run, which has 9/,
    );
    refuseLongSchedule(resolved({ warmup_steps: 8 }), 9);
    refuseLongSchedule(resolved({}), 1);
    expect(scheduleOptions(resolved({}), 1).warmupSteps).toBe(1);
  });

  it('is counted in whole steps', () => {
    expect(warmupStepsOf({ warmup_steps: 7, warmup_ratio: null }, 100)).toBe(7);
    expect(warmupStepsOf({ warmup_steps: null, warmup_ratio: 0.03 }, 101)).toBe(4);
    expect(warmupStepsOf({ warmup_steps: null, warmup_ratio: 0 }, 101)).toBe(0);
  });

  it('that leaves no room for the decay is refused', () => {
    const recipe = resolved({
      lr_scheduler: 'warmup_stable_decay',
      lr_scheduler_kwargs: { num_decay_steps: 8 },
      warmup_ratio: 0.3,
    });
    expect(() => refuseLongSchedule(recipe, 10)).toThrow(expect.objectContaining({ code: 'schedule_too_long' }));
    refuseLongSchedule(recipe, 20);
    expect(scheduleOptions(recipe, 20)).toMatchObject({ warmupSteps: 6, decaySteps: 8, stableSteps: null });
  });
});
