/**
 * All events of a run were held in memory at once: what looks at a run took gigabytes for one of millions of steps. Later, what
 * `runs logs` printed waited there for a reader slower than it, and the process ended.
 */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealPath, env } from '../apps/agent/test/helpers/anneal.ts';
import { writeFinishedRun } from '../bench/writtenRuns.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('a log larger than the memory of the process is listed, shown and told', () => {
  const folder = temporaryFolder();
  const run = writeFinishedRun(folder, 'long', 200_000);
  const heap = 48;
  expect(statSync(join(folder, run, 'events.jsonl')).size).toBeGreaterThan((heap + 1) << 20);
  for (const verb of ['ls', 'show long', 'logs long']) {
    const command = `'${process.execPath}' --max-old-space-size=${heap} '${annealPath}' runs ${verb} | (sleep 2; grep finished)`;
    expect(execFileSync('bash', ['-c', command], { cwd: folder, env, encoding: 'utf8' })).toContain('finished');
  }
});
