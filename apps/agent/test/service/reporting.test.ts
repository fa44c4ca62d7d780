import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { reporting } from '../../src/service/reporting.ts';

async function collect<P, R>(useCase: AsyncGenerator<P, R>): Promise<{ progress: P[]; result: R }> {
  const progress: P[] = [];
  for (;;) {
    const { value, done } = await useCase.next();
    if (done) return { progress, result: value };
    progress.push(value);
  }
}

test('nothing that is reported is lost, whenever it comes', async () => {
  const useCase = reporting<number, string>(async (report) => {
    report(1);
    report(2);
    await wait(5);
    report(3);
    await Promise.resolve();
    report(4);
    return 'done';
  });
  expect(await collect(useCase)).toEqual({ progress: [1, 2, 3, 4], result: 'done' });
});

test('an error comes after what was reported before it', async () => {
  const seen: number[] = [];
  const useCase = reporting<number, never>(async (report) => {
    report(1);
    throw new Error('no');
  });
  await expect(
    (async () => {
      for await (const progress of useCase) seen.push(progress);
    })(),
  ).rejects.toThrow('no');
  expect(seen).toEqual([1]);
});

test('whoever stops listening aborts the work and waits for its end', async () => {
  let cleaned = false;
  const useCase = reporting<number, void>(async (report, signal) => {
    report(1);
    while (!signal.aborted) await wait(1);
    cleaned = true;
  });
  for await (const progress of useCase) if (progress === 1) break;
  expect(cleaned).toBe(true);
});
