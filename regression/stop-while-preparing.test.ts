/** A run that was asked to stop went on preparing its data to the end, which takes minutes where there are many. */
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { refuseOtherThanText } from '../packages/core/src/datasets/fileContent.ts';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { sha256OfFile } from '../packages/core/src/fileHash.ts';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { untilStopped } from '../packages/core/src/trainer/stopping.ts';
import { temporaryFolder, writeCapitalsTask } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, eventsOf, tinyRecipe, trainHere, weightsHash } from '../packages/core/test/runs.ts';

test('a stop ends the preparation, and the run begins when it is resumed', async () => {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, {
    max_steps: 2,
    datasets: [{ path: writeCapitalsTask(folder, 2000, 'many.jsonl') }],
  });
  const undisturbed = await trainHere(recipe);

  const run = await createRun(recipe);
  const stopped = await continueHere(run, { signal: { stopRequested: true, saveRequested: false } });
  await run.close();
  expect(stopped.events.map(({ type }) => type)).toEqual(['run_created', 'stopped']);

  await using again = await RunDirectory.open(run.path);
  const finished = await continueHere(again);
  expect(eventsOf(finished, 'finished')).toHaveLength(1);
  expect(weightsHash(finished, 2)).toBe(weightsHash(undisturbed, 2));
});

test('so does a stop while a large file is looked through for its rows', async () => {
  const path = join(temporaryFolder(), 'large.jsonl');
  writeFileSync(path, '{"text":"a"}\n');
  truncateSync(path, 50e9);
  const stopping = new AbortController();
  const reason = new Error('asked to stop');
  setTimeout(() => stopping.abort(reason), 20);
  await expect(openSource(path, stopping.signal)).rejects.toBe(reason);
  await expect(sha256OfFile(path, stopping.signal)).rejects.toBe(reason);
});

test('a stop is seen by itself', async () => {
  await using run = await createRun(tinyRecipe(temporaryFolder(), { max_steps: 2 }));
  const signal = { stopRequested: false, saveRequested: false };
  setTimeout(() => (signal.stopRequested = true), 20);
  const stopped = await untilStopped(run, signal, async (abort) => {
    await once(abort, 'abort');
    throw abort.reason;
  });
  expect(stopped).toBeNull();
});

test('a file whose room was reserved and whose content never came is refused at once', () => {
  const path = join(temporaryFolder(), 'holes.jsonl');
  writeFileSync(path, '');
  truncateSync(path, 50e9);
  expect(() => refuseOtherThanText(path)).toThrow(/holds null bytes/);
});
