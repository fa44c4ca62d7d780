/** An event log with a hole of 200 GB, or any line without an end, was read to its end: `runs ls` took minutes for all runs. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesOfFile, longestLine, readEvents } from '@anneal/core/trainer/eventReader';
import { openRunFile } from '@anneal/core/trainer/runFiles';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('a line that is too long is refused as soon as that is known', () => {
  const path = join(temporaryFolder(), 'events.jsonl');
  writeFileSync(path, '');
  truncateSync(path, 200e9);
  expect(() => [...readEvents(path)]).toThrow(/line 1 has more than \d+ bytes/);
});

test('what comes after it is read where it is only passed over', () => {
  const path = join(temporaryFolder(), 'run.log');
  writeFileSync(path, `first\n${'x'.repeat(longestLine + 3e6)}\nlast\ntorn`);
  const texts = Array.from(linesOfFile(openRunFile(path), { from: 0, unfinished: true }), ({ text }) => text);
  expect(texts).toEqual(['first', undefined, 'last', 'torn']);
});
