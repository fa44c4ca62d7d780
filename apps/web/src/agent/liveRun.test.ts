import type { RunEvent } from '@anneal/core/protocol/events';
import { startSmoothing } from '@anneal/core/protocol/smoothing';
import { type ListedRun, metrics, type RunSeries, type StepEvent } from '@anneal/core/protocol/studio';
import { TRPCClientError } from '@trpc/client';
import { beforeEach, expect, test, vi } from 'vitest';
import { LiveRun } from './liveRun.ts';

type Told = { data: { events: RunEvent[]; summary: ListedRun } };

/** What was asked of the agent, and how it is answered. */
const asked: { resolve: (series: RunSeries) => void; reject: (error: Error) => void }[] = [];
let tell: (told: Told) => void = () => {};

vi.mock('./connection.ts', () => ({
  agent: () => ({
    runs: {
      get: { query: async () => summary },
      happenings: { query: async () => ({ events: [], seq: 0 }) },
      series: { query: () => new Promise<RunSeries>((resolve, reject) => asked.push({ resolve, reject })) },
      events: {
        subscribe: (_: unknown, { onData }: { onData: typeof tell }) => {
          tell = onData;
          return { unsubscribe: () => {} };
        },
      },
    },
  }),
}));

const summary = { created: '2026-01-01T00:00:00Z', alerts: [] as ListedRun['alerts'] } as ListedRun;

const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 20_000, interval: 1 });

const bands = () => ({ min: [], max: [], mean: [] });

function series(seq: number, steps: number[]): RunSeries {
  const zeros = () => steps.map(() => 0);
  return {
    seq,
    step: steps,
    seconds: zeros(),
    tokens: zeros(),
    bands: Object.fromEntries(metrics.map((metric) => [metric, bands()])) as unknown as RunSeries['bands'],
    rewardByFunction: {},
    smoothedLoss: zeros(),
    smoothing: startSmoothing(0),
    evaluations: [],
    checkpoints: [],
    resumes: [],
    notFinite: [],
    extent: [1, steps.at(-1) ?? 1],
  };
}

const step = (seq: number, at: number): RunEvent =>
  ({ type: 'step', seq, step: at, time: '2026-01-01T00:00:01Z', loss: 1, tokens: 1 }) as StepEvent;
const add = (...events: RunEvent[]): void => tell({ data: { events, summary } });
const shown = (run: LiveRun) => run.series.read.get()?.step;

/** A run with the steps 1 to 3. */
async function opened(): Promise<LiveRun> {
  const run = new LiveRun('runs/one', { range: null, smoothing: 0 });
  await until(() => asked.length === 1);
  asked[0]?.resolve(series(3, [1, 2, 3]));
  await until(() => shown(run));
  add(step(4, 4));
  await until(() => shown(run)?.length === 4);
  return run;
}

beforeEach(() => {
  asked.length = 0;
  tell = () => {};
});

test('steps that come again after a resumption stand once, after those before them', async () => {
  const run = await opened();
  add({ type: 'resumed', seq: 5, time: '', fromStep: 2 } as RunEvent);
  add(step(6, 3));
  expect(shown(run)).toEqual([1, 2, 3, 4]);
  expect(asked).toHaveLength(2);
  asked[1]?.resolve(series(5, [1, 2]));
  await until(() => shown(run)?.length === 3);
  expect(shown(run)).toEqual([1, 2, 3]);
  run.close();
});

test('while many steps wait for an answer that takes long, they are shown and nothing is asked again', async () => {
  const run = await opened();
  const many = Array.from({ length: 1600 }, (_, i) => step(5 + i, 5 + i));
  add(...many);
  add(step(1605, 1605));
  expect(asked).toHaveLength(2);
  expect(shown(run)).toHaveLength(1605);
  asked[1]?.resolve(series(1604, [800, 1604]));
  await until(() => shown(run)?.length === 3);
  expect(shown(run)).toEqual([800, 1604, 1605]);
  run.close();
});

test('a question that failed is asked again with the next steps', async () => {
  const run = await opened();
  add({ type: 'resumed', seq: 5, time: '', fromStep: 2 } as RunEvent);
  asked[1]?.reject(new Error('the agent went away'));
  await until(() => run.error.read.get());
  add(step(6, 3));
  expect(asked).toHaveLength(3);
  asked[2]?.resolve(series(6, [1, 2, 3]));
  await until(() => shown(run)?.length === 3);
  run.close();
});

test('what the connection broke off is asked again, and what the agent refuses is told', async () => {
  const run = await opened();
  run.show({ range: null, smoothing: 0.5 });
  asked.at(-1)?.reject(new TRPCClientError('Unknown error'));
  await until(() => asked.length === 3);
  expect(run.error.read.get()).toBeUndefined();
  const refused = TRPCClientError.from({ error: { message: 'gone', code: -32603, data: {} } });
  asked.at(-1)?.reject(refused);
  await until(() => run.error.read.get());
  expect(run.error.read.get()).toBe(refused);
});
