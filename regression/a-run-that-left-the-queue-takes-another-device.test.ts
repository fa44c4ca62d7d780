/** The device chosen for a waiting run stood in its entry alone, and a resume refused to choose one again. */
import { basename, join, relative } from 'node:path';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { expect, test } from 'vitest';
import { AgentState } from '../apps/agent/src/daemon/agentState.ts';
import { RunQueue } from '../apps/agent/src/service/queue/runQueue.ts';
import { openRecipe } from '../apps/agent/src/service/recipes/open.ts';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { client, makePlace, paired, start } from '../apps/agent/test/helpers/daemon.ts';

test('a run that has not begun, whose device is gone, is queued for another one after it left the queue', async () => {
  const at = makePlace();
  const daemon = await start(at);
  const { api } = client(daemon, await paired(daemon));
  const { recipe } = await api.recipes.begin.mutate();
  const { resolvedText } = await openRecipe(join(at.workspace, recipe), ['device=cpu', 'max_steps=2']);
  const text = resolvedText.replace('device: cpu', 'device: cuda:77');
  const root = join(at.workspace, 'runs');
  const made = await RunDirectory.create({ root, name: 'gone', recipeText: text, resolvedText: text });
  await made.close();
  const run = relative(at.workspace, made.path);
  const queue = new RunQueue(AgentState.above(at.workspace).folder);
  await queue.setConcurrency('cpu', 0);
  const resume = (set: string[]) => api.runs.resume.mutate({ run, set, priority: 'normal' });

  await expect(resume([])).rejects.toMatchObject({ data: { error: { code: 'device_not_found' } } });
  await expect(resume(['device=cuda:78'])).rejects.toMatchObject({ data: { error: { code: 'device_not_found' } } });
  await resume(['device=cpu']);
  expect(queue.read().waiting).toMatchObject([{ run, device: 'cpu', changes: ['device=cpu'] }]);
  await api.queue.remove.mutate({ run });
  expect(queue.read().waiting).toEqual([]);
  const anneal = annealIn(at.workspace, { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
  const queued = await anneal('runs', 'resume', basename(made.path), '--queue', '--set', 'device=cpu');
  expect(queued.stdout + queued.stderr).toMatch(/ waits for cpu, at place 1 of 1\n/);
  expect(queue.read().waiting).toMatchObject([{ run, device: 'cpu', changes: ['device=cpu'] }]);
});
