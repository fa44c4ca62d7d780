/** The log is read once, and says what counts: each step once, the newest answers, how the newest launch ended. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import type { Diagnosing } from '../protocol/diagnoses.ts';
import type { EventBody } from '../protocol/events.ts';
import { readLog } from './readLog.ts';

let run: string;
beforeAll(() => {
  run = temporaryFolder('log');
});

function write(...events: EventBody[]): void {
  const lines = events.map((event, i) => JSON.stringify({ seq: i + 1, time: '2026-01-31T12:00:00.000Z', ...event }));
  writeFileSync(join(run, 'events.jsonl'), lines.map((line) => `${line}\n`).join(''));
}

const step = (number: number, loss: number | null): EventBody => {
  const rest = { epoch: number / 10, gradNorm: 1, learningRate: 1, tokens: 1, targetTokens: 1, tokensPerSecond: 1 };
  return { type: 'step', step: number, loss, milliseconds: 1, ...rest };
};
const sample = (after: number, text: string): EventBody => ({ type: 'sample', step: after, prompt: 'who?', text });
const quiet = { report: () => undefined, signal: new AbortController().signal };

test('what a later launch repeats counts once, and an end that it went on from is none', async () => {
  write(
    { type: 'started', totalSteps: 4 },
    step(1, 3),
    sample(1, 'old'),
    step(2, 2),
    { type: 'evaluated', step: 2, loss: 2.5 },
    step(3, null),
    { type: 'evaluated', step: 3, loss: null },
    sample(3, 'lost'),
    { type: 'failed', error: { code: 'loss_not_finite', what: 'it diverged' } },
    { type: 'resumed', fromStep: 2 },
    { type: 'started', totalSteps: 4 },
    step(3, 1.5),
  );
  const log = await readLog(run, quiet);
  expect(log.steps.losses()).toEqual([3, 2, 1.5]);
  expect([log.steps.count, log.steps.lastStep, log.steps.epochs(), log.steps.epochs(2)]).toEqual([3, 3, 0.3, 0.2]);
  expect(log.steps.firstNotFinite).toBeUndefined();
  expect(log.evaluations).toEqual([{ step: 2, loss: 2.5 }]);
  expect(log.samples.map(({ text }) => text)).toEqual(['old']);
  expect(log.failure).toBeNull();
});

test('all answers of the newest step, and why the newest launch failed', async () => {
  const error = { code: 'disk_full', what: 'the disk is full' };
  write({ type: 'started', totalSteps: 4 }, sample(0, 'a'), step(1, 3), sample(1, 'b'), sample(1, 'c'), step(2, null), {
    type: 'failed',
    error,
  });
  const { samples, failure, steps } = await readLog(run, quiet);
  expect(samples.map(({ text }) => text)).toEqual(['b', 'c']);
  expect([failure, steps.firstNotFinite]).toEqual([error, 2]);
});

test('it says how far it is, and ends where somebody has cancelled', async () => {
  write(step(1, 3), step(2, 3));
  const told: Diagnosing[] = [];
  await readLog(run, { ...quiet, report: (progress) => told.push(progress) });
  expect(told[0]?.share).toBeCloseTo(0.5, 1);
  const cancelled = AbortSignal.abort(new Error('enough'));
  await expect(readLog(run, { ...quiet, signal: cancelled })).rejects.toThrow('enough');
});
