import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { PreparationProgress } from '@anneal/core/protocol/estimates';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { runApart } from '../src/runner/runApart.ts';
import { estimateRun } from '../src/service/estimate.ts';
import { finish } from '../src/service/finish.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { temporaryFolder } from './helpers/anneal.ts';

const set = ['sequence_len=64', 'bf16=false'];
let recipe: string;

beforeEach(async () => {
  const folder = temporaryFolder();
  vi.stubEnv('ANNEAL_CACHE', join(folder, 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  const project = { folder, model: writeTinyModel(folder), data: writeCapitalsTask(folder, 2000) };
  await beginProject({}, project);
  recipe = join(folder, 'recipe.yaml');
});

/** Our children that run a use case. */
function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        return (
          Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('useCaseProcess')
        );
      } catch {
        return false; // it has just ended
      }
    })
    .map(Number);
}

test('gives what the use case gives, progress and result', async () => {
  const apart: PreparationProgress[] = [];
  const { estimate } = await finish(runApart('estimate', {}, { recipe, set }), (progress) => apart.push(progress));
  expect(apart.length).toBeGreaterThan(2);
  const here = await finish(estimateRun({}, { recipe, set }));
  const { fit: _, ...same } = here.estimate; // what is free changes
  expect(estimate).toMatchObject(same);
  expect(processes()).toEqual([]);
});

test('an error comes across as what it is', async () => {
  const wrong = finish(runApart('estimate', {}, { recipe, set: ['lora_r=-1', 'seed=x'] }));
  await expect(wrong).rejects.toMatchObject({
    name: 'InvalidRecipe',
    problems: [{ path: ['lora_r'] }, { path: ['seed'] }],
  });
  const nothing = finish(runApart('export', {}, { source: recipe }));
  await expect(nothing).rejects.toMatchObject({ name: 'UserError', code: 'export_options' });
});

test('whoever stops listening, or aborts while waiting, ends the process', async () => {
  for await (const { phase } of runApart('reportOnData', {}, { source: recipe, set })) if (phase === 'preparing') break;
  expect(processes()).toEqual([]);

  const given = new AbortController();
  const waiting = runApart('estimate', {}, { recipe, set: [...set, 'seed=7'] }, given.signal);
  const next = waiting.next();
  const ended = next.then(() => finish(waiting));
  ended.catch(() => undefined); // looked at below
  while (processes().length === 0) await wait(5);
  given.abort();
  await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
  expect(processes()).toEqual([]);
});

test('a process that is killed is an error that says what to do', async () => {
  const estimating = finish(runApart('estimate', {}, { recipe, set }));
  estimating.catch(() => undefined); // looked at below
  let found = processes();
  for (; found.length === 0; found = processes()) await wait(5);
  for (const pid of found) process.kill(pid, 'SIGKILL');
  await expect(estimating).rejects.toMatchObject({ code: 'process_died', what: expect.stringContaining('SIGKILL') });
});
