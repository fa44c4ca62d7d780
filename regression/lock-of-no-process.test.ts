/**
 * A lock with pid 0 or -1 and nothing else was believed: the run counted as running forever, and `runs stop` would have signaled
 * the caller's own group, or everything.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { runOwner } from '../packages/core/src/trainer/runLock.ts';
import { thisProcess } from '../packages/formats/src/files/processOwner.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

let root: string;
let path: string;
beforeEach(async () => {
  root = temporaryFolder('lock');
  const run = await RunDirectory.create({ root, name: 'a', recipeText: 'a', resolvedText: 'a' });
  await run.close();
  path = run.path;
});

const { processStart, boot } = thisProcess();

test.each<object>([
  { pid: 0, processStart, boot, host: hostname() },
  { pid: 1, processStart, boot, host: hostname() },
  { pid: -1, processStart, boot, host: 'elsewhere' },
  { pid: -process.pid, processStart, boot, host: hostname() },
  { pid: process.pid },
  { pid: process.pid, host: 'elsewhere' },
  { pid: process.pid, processStart: '', boot, host: hostname() },
  { pid: process.pid, processStart: null, boot, host: hostname() },
  { pid: process.pid + 0.5, processStart, boot, host: hostname() },
  { pid: String(process.pid), processStart, boot, host: hostname() },
  [],
])('%j owns nothing, and is taken over', async (lock) => {
  for (const name of ['run.lock', 'run.lock.takeover']) {
    writeFileSync(join(path, name), JSON.stringify(lock));
    expect(runOwner(path)).toBeUndefined();
    await (await RunDirectory.open(path)).close();
    rmSync(join(path, name), { force: true });
  }
});
