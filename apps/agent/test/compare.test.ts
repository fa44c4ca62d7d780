import type { EventBody } from '@anneal/core/protocol/events';
import { seedGroups } from '@anneal/core/protocol/seedGroups';
import { describe, expect, test } from 'vitest';
import { comparisonCsv } from '../src/service/runs/comparisonCsv.ts';
import { commonSteps, measure, stepByStep } from '../src/service/runs/measure.ts';
import { type RunRecord, recordOf } from '../src/service/runs/record.ts';

describe('measuring a run', () => {
  test('counts the steps behind it, not only those on record', () => {
    const events = run([step(5, 3), step(10, 2), { type: 'finished', step: 12, loss: 1, milliseconds: 1200 }]);
    expect(measure(events)).toEqual({
      steps: 12,
      recordedSteps: 2,
      loss: 2.5,
      validationLoss: null,
      bestValidationLoss: null,
      tokensPerSecond: 1000,
      tokens: 200,
      milliseconds: 1200,
      timedSteps: 12,
    });
  });

  test('a run that did not finish is timed by its recorded steps', () => {
    const events = run([step(5, 3), { type: 'stopped', step: 7 }]);
    expect(measure(events)).toMatchObject({ steps: 7, recordedSteps: 1, milliseconds: 100, timedSteps: 1 });
  });

  test('takes the mean of ten steps, and none where a loss was not finite', () => {
    const losses = Array.from({ length: 12 }, (_, index) => step(index + 1, index));
    expect(measure(run(losses)).loss).toBe(6.5);
    expect(measure(run([...losses, step(13, null)])).loss).toBeNull();
    expect(measure(run([]))).toMatchObject({ steps: 0, recordedSteps: 0, loss: null, tokensPerSecond: null });
  });

  test('leaves out what a later launch repeated', () => {
    const events = run([step(1, 9), step(2, 9), { type: 'resumed', fromStep: 1 }, step(2, 1)]);
    expect(measure(events)).toMatchObject({ steps: 2, recordedSteps: 2, loss: 5 });
  });
});

const compared = (settings: Record<string, unknown>, loss: number, validationLoss: number | null) => ({
  id: 'run',
  path: '/runs/run',
  state: 'finished' as const,
  settings,
  ...measure(run([step(1, loss)])),
  validationLoss,
});

test('runs that differ in their seeds alone are a group, with mean and deviation', () => {
  const runs = [
    compared({ seed: 1, lora_r: 8 }, 1, 2),
    compared({ seed: 2, lora_r: 4 }, 9, 9),
    compared({ seed: 2, lora_r: 8 }, 3, null),
  ];
  expect(seedGroups({ runs, recipe: ['seed', 'lora_r'] })).toEqual([
    { runs: [0, 2], loss: { mean: 2, deviation: Math.SQRT2 }, validationLoss: null, bestValidationLoss: null },
  ]);
  expect(seedGroups({ runs, recipe: ['lora_r'] })).toEqual([]);
  const again = [...runs, compared({ seed: 1, lora_r: 8 }, 1, 2)];
  expect(seedGroups({ runs: again, recipe: ['seed', 'lora_r'] })).toMatchObject([
    { runs: [0, 2], loss: { deviation: Math.SQRT2 } },
  ]);
});

test('an evaluation and an end that a later launch repeats do not count', () => {
  const evaluated: EventBody = { type: 'evaluated', step: 2, loss: 0.5, perplexity: 1.65 };
  const finished: EventBody = { type: 'finished', step: 2, loss: 9, milliseconds: 1200 };
  const events = run([step(1, 9), step(2, 9), evaluated, finished, { type: 'resumed', fromStep: 1 }]);
  expect(measure(events)).toMatchObject({ steps: 1, validationLoss: null, milliseconds: 100, timedSteps: 1 });
});

test('every step that any of the runs recorded stands once, in order', () => {
  const runs = [run([step(1, 3), step(3, null)]), run([step(2, 5)]), run([])];
  expect(stepByStep(runs)).toEqual([
    { step: 1, losses: [3, undefined, undefined] },
    { step: 2, losses: [undefined, 5, undefined] },
    { step: 3, losses: [null, undefined, undefined] },
  ]);
});

test('as a table, what is not there is an empty field, and what would break a line is quoted', () => {
  const measures = measure(run([step(1, null)]));
  const settings = { name: 'say "hi"', list: [1] };
  const runs = [
    { id: 'a', path: 'runs/one, two', state: 'finished' as const, settings, ...measures },
    { id: 'b', path: 'runs/b', state: 'failed' as const, settings: {}, ...measures },
  ];
  const comparison = { runs, recipe: ['name', 'list'], commonSteps: { steps: [], losses: [] } };
  const [, first, second] = comparisonCsv({ ...comparison, steps: null }).split('\n');
  expect(first).toMatch(/^"runs\/one, two",finished,1,1,,,,.*,"say ""hi""",\[1\]$/);
  expect(second).toMatch(/^runs\/b,failed,.*,,$/);
  const steps = [{ step: 1, losses: [null, undefined] }];
  expect(comparisonCsv({ ...comparison, steps })).toBe('step,"runs/one, two",runs/b\n1,,\n');
});

describe('steps that runs have in common', () => {
  test('of three are those of each', () => {
    const runs = [
      [1, 2, 3, 4],
      [2, 3, 4, 5],
      [3, 4],
    ].map((steps) => run(steps.map((number) => step(number, number))));
    expect(commonSteps(runs)).toEqual({ steps: [3, 4], losses: [3.5, 3.5, 3.5] });
  });

  test('are those that all recorded, the last ten of them', () => {
    const every = run(Array.from({ length: 30 }, (_, index) => step(index + 1, index + 1)));
    const everySecond = run(Array.from({ length: 12 }, (_, index) => step(2 * index + 2, 1)));
    expect(commonSteps([every, everySecond])).toEqual({
      steps: [6, 8, 10, 12, 14, 16, 18, 20, 22, 24],
      losses: [15, 1],
    });
  });

  test('may be none', () => {
    expect(commonSteps([run([step(2, 1)]), run([step(3, 1)])])).toEqual({ steps: [], losses: [null, null] });
  });
});

function run(events: readonly EventBody[]): RunRecord {
  return recordOf(events.map((event, index) => ({ seq: index + 1, time: '2026-01-31T14:25:00.000Z', ...event })));
}

function step(number: number, loss: number | null): EventBody {
  const measured = { loss, gradNorm: 1, learningRate: 1e-4, tokens: 100, targetTokens: 50, tokensPerSecond: 1000 };
  return { type: 'step', step: number, epoch: 0, ...measured, milliseconds: 100 };
}
