/**
 * All events of a run were held in memory at once: what looks at a run took gigabytes for one of millions of steps. Later, what
 * `runs logs` printed waited there for a reader slower than it, and the process ended. Later still, what is handed on for help, a
 * model card, and the repetition of a run held them all.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealPath, env } from '../apps/agent/test/helpers/anneal.ts';
import { writeFinishedRun } from '../bench/writtenRuns.ts';
import { pinsName } from '../packages/core/src/trainer/runHashes.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const heap = 48;
const folder = temporaryFolder();
const run = writeFinishedRun(folder, 'long', 200_000);
const hash = '0'.repeat(64);
const pinned = { model: hash, data: hash, template: hash, tokenizer: hash };
writeFileSync(join(folder, run, pinsName), JSON.stringify(pinned));

/** What a process in the folder prints that has less memory than the log is long. */
function printed(rest: string): string {
  const command = `'${process.execPath}' --max-old-space-size=${heap} ${rest}`;
  return execFileSync('bash', ['-c', command], { cwd: folder, env, encoding: 'utf8' });
}

test.each(['ls', 'show long', 'logs long'])('a log larger than the memory of the process: runs %s', (verb) => {
  expect(statSync(join(folder, run, 'events.jsonl')).size).toBeGreaterThan((heap + 1) << 20);
  expect(printed(`'${annealPath}' runs ${verb} | (sleep 2; grep finished)`)).toContain('finished');
});

test('it is put into a file for those who help', () => {
  printed(`'${annealPath}' doctor --bundle support.json`);
  const { events, eventsBefore } = JSON.parse(readFileSync(join(folder, 'support.json'), 'utf8')).run;
  expect([events.length, events.at(-1).type, eventsBefore]).toEqual([200, 'finished', 200_103 - 200]);
});

test('it is told in a model card', () => {
  const cardFacts = join(import.meta.dirname, '../apps/agent/src/service/push/cardFacts.ts');
  const script = `import { cardRun } from '${cardFacts}'; console.log(JSON.stringify(cardRun('${run}', 150_000)))`;
  const { curve, measures } = JSON.parse(printed(`--input-type=module -e "${script}"`));
  expect(measures).toMatchObject({ steps: 150_000, recordedSteps: 150_000 });
  expect(curve).toHaveLength(20);
  expect(curve.at(-1)).toMatchObject({ step: 150_000, learningRate: 2e-4 * (1 - 150_000 / 200_000) });
});

test('it is looked through before the run is repeated', () => {
  expect(printed(`'${annealPath}' reproduce long 2>&1 || true`)).toContain('this run cannot be repeated as it was');
});
