/** What events raise, what the machine adds to it, and that a watch can be kept at any moment. */
import { expect, test } from 'vitest';
import type { EventBody, RunEvent } from '../protocol/events.ts';
import { AlertWatch, acknowledgedBy, keptAlertsSchema } from './alertWatch.ts';

const start = Date.parse('2026-01-31T12:00:00Z');
const minute = 60_000;

/** A log as it is written: each event so many milliseconds after the one before. */
class Log {
  readonly events: RunEvent[] = [];
  time = start;

  add(body: EventBody, after = 1000): this {
    this.time += after;
    this.events.push({ ...body, seq: this.events.length + 1, time: new Date(this.time).toISOString() } as RunEvent);
    return this;
  }

  start(): this {
    return this.add({ type: 'started', totalSteps: 1000 });
  }

  step(step: number, loss: number | null, { after = 1000, ...more }: { after?: number; reward?: number } = {}): this {
    const rest = { epoch: 0, gradNorm: 1, learningRate: 1e-4, tokens: 1, targetTokens: 1, tokensPerSecond: 1 };
    return this.add({ type: 'step', step, loss, milliseconds: 1, ...rest, ...more }, after);
  }

  /** As noisy as a real one. */
  steps(first: number, last: number, level = 2): this {
    for (let step = first; step <= last; step++) this.step(step, level + 0.3 * Math.sin(step * 12.9898));
    return this;
  }
}

const watched = (log: Log) => {
  const watch = new AlertWatch();
  for (const event of log.events) watch.add(event);
  return watch;
};
const raised = (log: Log) => watched(log).alerts(null);
const room = { freeDisk: 1e12, neededDisk: 1e9 };

test('a healthy run raises nothing, neither while it goes on nor when it has ended', () => {
  const log = new Log().start().steps(1, 300);
  expect(watched(log).alerts({ ...room, now: log.time + minute })).toEqual([]);
  expect(
    raised(log.add({ type: 'evaluated', step: 300, loss: 2 }).add({ type: 'finished', step: 300, loss: 2 })),
  ).toEqual([]);
});

test('a loss far above those before it is a spike, once for as long as it stays there', () => {
  const log = new Log().start().steps(1, 50).step(51, 9).step(52, 8);
  expect(raised(log)).toMatchObject([
    { code: 'loss_spike', seq: 52, step: 51, lasts: true, what: expect.stringContaining('9') },
  ]);
  log.steps(53, 80);
  expect(raised(log)).toMatchObject([{ step: 51, lasts: false }]);
  expect(raised(log.step(81, 12))).toMatchObject([
    { step: 51, lasts: false },
    { step: 81, lasts: true },
  ]);
});

test('noise is no spike, nor a loss near nothing, nor that of rewards, nor one among the first steps', () => {
  expect(raised(new Log().start().steps(1, 50).step(51, 2.9))).toEqual([]);
  expect(raised(new Log().start().steps(1, 10).step(11, 9))).toEqual([]);
  const rewarded = new Log().start();
  for (let step = 1; step <= 50; step++) rewarded.step(step, 0.01 * (step % 2), { reward: 1 });
  expect(raised(rewarded.step(51, 5, { reward: 1 }))).toEqual([]);
  const known = new Log().start();
  for (let step = 1; step <= 50; step++) known.step(step, 0.01);
  expect(raised(known.step(51, 0.29))).toEqual([]);
  expect(raised(known.step(52, 0.31))).toMatchObject([{ code: 'loss_spike', step: 52 }]);
});

test('what is not finite: a loss, a gradient, a validation loss', () => {
  const log = new Log().start().steps(1, 5).step(6, null).step(7, null);
  expect(raised(log)).toMatchObject([{ code: 'not_finite', step: 6, lasts: true }]);
  const evaluated = new Log().start().steps(1, 5).add({ type: 'evaluated', step: 5, loss: null });
  expect(raised(evaluated)).toMatchObject([
    { code: 'not_finite', step: 5, what: expect.stringContaining('validation') },
  ]);
});

test('a stall is seen while it lasts, and stands in the log when the run goes on', () => {
  const log = new Log().start().steps(1, 30);
  const now = log.time + 7 * minute;
  const lasting = watched(log).alerts({ ...room, now });
  expect(lasting).toMatchObject([
    { code: 'stalled', seq: 31, step: 30, lasts: true, what: expect.stringContaining('7 min') },
  ]);
  expect(watched(log).alerts(null)).toEqual([]);
  const after = raised(log.step(31, 2, { after: 9 * minute }));
  expect(after).toMatchObject([
    { code: 'stalled', seq: 31, step: 30, lasts: false, what: expect.stringContaining('9 min') },
  ]);
});

test('neither slow steps nor pauses that a run has had before are a stall, nor the time between two launches', () => {
  const slow = new Log().start();
  for (let step = 1; step <= 30; step++) slow.step(step, 2, { after: minute });
  expect(watched(slow).alerts({ ...room, now: slow.time + 10 * minute })).toEqual([]);
  const evaluating = new Log()
    .start()
    .steps(1, 30)
    .add({ type: 'evaluated', step: 30, loss: 2 }, 4 * minute)
    .steps(31, 60);
  expect(watched(evaluating).alerts({ ...room, now: evaluating.time + 10 * minute })).toEqual([]);
  const killed = new Log()
    .start()
    .steps(1, 30)
    .add({ type: 'checkpoint', step: 30, path: 'checkpoints/checkpoint-30' });
  killed.add({ type: 'warning', code: 'a', message: 'b' }, 600 * minute);
  killed.add({ type: 'data_prepared', rows: 1, tokens: 1, targetTokens: 1, dropped: 0, truncated: 0 }, 600 * minute);
  killed.add({ type: 'resumed', fromStep: 30 }).start().steps(31, 60);
  expect(raised(killed)).toEqual([]);
});

test('a disk that is nearly full is told as long as it is, once for each launch', () => {
  const log = new Log().start().steps(1, 3);
  const facts = { now: log.time, freeDisk: 4e8, neededDisk: 5e8 };
  expect(watched(log).alerts(facts)).toMatchObject([{ code: 'disk_nearly_full', seq: 1, step: 3, lasts: true }]);
  expect(watched(log).alerts({ ...facts, freeDisk: 6e8 })).toEqual([]);
});

test('what a later launch repeats is raised by it again, under a number of its own', () => {
  const log = new Log().start().steps(1, 40).step(41, 9).step(42, 2);
  expect(raised(log)).toHaveLength(1);
  log.add({ type: 'resumed', fromStep: 20 });
  expect(raised(log)).toEqual([]);
  log.start().steps(21, 60).step(61, 9);
  const [again] = raised(log);
  expect(again).toMatchObject({ step: 61, seq: log.events.length });
  const seen = { by: 'Ada', time: '2026-02-01T00:00:00Z' };
  const names = [
    { code: 'loss_spike' as const, seq: 42, ...seen },
    { code: 'stalled' as const, seq: log.events.length, ...seen },
  ];
  expect(acknowledgedBy(raised(log), names)).toMatchObject([{ acknowledged: null }]);
  expect(acknowledgedBy(raised(log), [{ ...seen, code: 'loss_spike', seq: log.events.length }])).toMatchObject([
    { acknowledged: seen },
  ]);
});

test('of many the newest twenty are kept; a watch that was kept at any moment goes on as if it had not been', () => {
  const log = new Log().start();
  for (let round = 0; round < 25; round++) log.steps(100 * round + 1, 100 * round + 70).step(100 * round + 71, 40);
  const whole = watched(log);
  expect(whole.alerts(null).map(({ step }) => step)).toEqual(
    Array.from({ length: 20 }, (_, at) => 100 * (at + 5) + 71),
  );
  let kept = new AlertWatch();
  for (const event of log.events) {
    kept = new AlertWatch(keptAlertsSchema.parse(JSON.parse(JSON.stringify(kept.kept))));
    kept.add(event);
  }
  expect(kept.kept).toEqual(whole.kept);
});
