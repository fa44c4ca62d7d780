/** `anneal estimate` refused a run for whose checkpoints the disk has no room; `anneal train` warned, and ended hours later. */
import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, tinyRecipe } from '../packages/core/test/runs.ts';

const { free } = vi.hoisted(() => ({ free: { bytes: 0 } }));
vi.mock('../packages/core/src/freeDisk.ts', () => ({ freeDisk: () => free.bytes }));

test.each([
  [1000, false],
  [1e9, true],
])('with %d bytes free', async (bytes, trains) => {
  free.bytes = bytes;
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, { base_model: writeTinyModel(folder), max_steps: 1 });
  await using run = await createRun(recipe);
  const training = continueHere(run);
  if (trains) return expect((await training).events.at(-1)).toMatchObject({ type: 'finished' });
  await expect(training).rejects.toMatchObject({
    code: 'disk_full',
    what: expect.stringMatching(/^the run does not fit: its checkpoints take .* of disk, 1\.000 kB are free$/),
  });
  expect(run.pinned()).toBeUndefined();
  expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('COMPLETE'))).toEqual([]);
});
