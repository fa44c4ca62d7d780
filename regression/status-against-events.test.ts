/** status.json was believed as far as it said that it had read: a changed one hid that a run had failed, or moved its steps. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { readRun } from '../packages/core/src/trainer/runReader.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

const root = temporaryFolder('status');

test('whatever status.json says, the events decide', async () => {
  const run = await RunDirectory.create({ root, name: 'a', recipeText: 'a', resolvedText: 'a' });
  run.recordStart({ totalSteps: 9, fromStep: 0 });
  run.record({ type: 'failed', error: { code: 'loss_not_finite', what: 'diverged' } });
  await run.close();
  const { status } = run;
  for (const lie of [
    { ...status, state: 'finished', error: null },
    { ...status, step: 9, totalSteps: 9, loss: 0.1 },
    { ...status, seq: 2, state: 'finished', name: 'other' },
    { ...status, seq: 1e15 },
  ]) {
    writeFileSync(join(run.path, 'status.json'), JSON.stringify(lie));
    expect(readRun(run.path).status).toEqual(status);
    const again = await RunDirectory.open(run.path);
    expect(again.status).toEqual(status);
    await again.close();
  }
});
