/** A run killed before its first checkpoint answered its sample prompts twice; one killed right after a checkpoint never did. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withoutSuperseded } from '../packages/core/src/protocol/events.ts';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueHere, eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

test.each([
  { moment: 'before the first checkpoint', last: /"type":"step","step":2/, checkpoints: [] },
  { moment: 'while it answers', last: /"type":"sample","step":0,"prompt":"ant"/, checkpoints: [] },
  { moment: 'after a checkpoint', last: /"type":"checkpoint","step":3/, checkpoints: [3] },
  { moment: 'after the last checkpoint', last: /"type":"checkpoint","step":6/, checkpoints: [3, 6] },
])('killed $moment, every prompt is answered once at every checkpoint', async ({ last, checkpoints }) => {
  const changes = { sample_prompts: ['ant', 'bee'], sample_max_tokens: 4, max_steps: 6, save_steps: 3 };
  const first = await trainHere(tinyRecipe(temporaryFolder(), changes));
  const log = join(first.path, 'events.jsonl');
  const lines = readFileSync(log, 'utf8').split('\n');
  writeFileSync(log, `${lines.slice(0, lines.findIndex((line) => last.test(line)) + 1).join('\n')}\n`);
  for (const step of [3, 6])
    if (!checkpoints.includes(step)) rmSync(join(first.path, `checkpoints/checkpoint-${step}`), { recursive: true });

  await using run = await RunDirectory.open(first.path);
  const events = withoutSuperseded((await continueHere(run)).events);
  const samples = eventsOf({ events }, 'sample').map(({ step, prompt, text }) => ({ step, prompt, text }));
  expect(samples).toEqual(eventsOf(first, 'sample').map(({ step, prompt, text }) => ({ step, prompt, text })));
  expect(samples).toHaveLength(6);
});
