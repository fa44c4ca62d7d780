import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Recipe } from '../src/recipe/schema.ts';
import { type EndpointStandIn, reply, standIn } from '../src/synthesis/testing/endpointStandIn.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { readRun } from '../src/trainer/runReader.ts';
import { continueHere, createRun, eventsOf, tinyGrpoRecipe, trainHere, trainInChild, weightsHash } from './runs.ts';

/** From 0 to 10 by what was answered; asked again about the same, the judge has changed its mind. */
function scoreOf(text: string, tries: number): string {
  const answer = text.slice(text.indexOf('Answer:'));
  return JSON.stringify({ score: ([...answer].reduce((sum, char) => sum + char.charCodeAt(0), 0) + tries - 1) % 11 });
}

const judge = (): Promise<EndpointStandIn> =>
  standIn(undefined, (asked, response, tries) => {
    reply(response, scoreOf(asked.messages[0]?.content ?? '', tries), asked);
    return true;
  });

function recipeFor({ url }: Pick<EndpointStandIn, 'url'>, more: object = {}, changes: Partial<Recipe> = {}): Recipe {
  const rows = ['ant', 'bee', 'cat'].map((prompt) => ({ prompt, wanted: 'vowels' }));
  const rewards = [
    { type: 'judge', url, model: 'small', retries: 0, ...more } as const,
    { type: 'length', target: 6 } as const,
  ];
  return tinyGrpoRecipe(rows, { reward_funcs: rewards }, changes);
}

function stateAfter({ path }: { path: string }, step: number): object {
  const text = readFileSync(join(path, `checkpoints/checkpoint-${step}/trainer_state.json`), 'utf8');
  return { ...JSON.parse(text), milliseconds: 0 };
}

const untimed = (event: object) => ({ ...event, seq: 0, time: '' });

const judgementsOf = (path: string): string[] =>
  readFileSync(join(path, 'judgements.jsonl'), 'utf8').trim().split('\n');

test('a judge behind an endpoint gives rewards from 0 to 1, is shown a column, and asked about each answer once', async () => {
  const endpoint = await judge();
  const run = await trainHere(recipeFor(endpoint, { field: 'wanted' }, { max_steps: 2 }));
  const [first] = eventsOf(run, 'step');
  expect(Object.keys(first?.rewardByFunction ?? {})).toEqual(['judge', 'length']);
  const { judge: mean = -1 } = first?.rewardByFunction ?? {};
  expect(mean).toBeGreaterThan(0);
  expect(mean).toBeLessThan(1);
  expect(endpoint.asked[0]?.messages[0]?.content).toContain('Reference:\nvowels');
  expect(endpoint.asked[0]).toMatchObject({ model: 'small', temperature: 0, max_tokens: 512 });
  expect(judgementsOf(run.path)).toHaveLength(endpoint.asked.length);
});

test('SIGKILL and going on give the same bits: nothing is asked twice', { timeout: 300_000 }, async () => {
  const undisturbed = await trainHere(recipeFor(await judge(), {}, { max_steps: 12, save_steps: 4 }));
  const endpoint = await judge();
  const begun = await createRun(recipeFor(endpoint, {}, { max_steps: 12, save_steps: 4 }));
  const { path } = begun;
  await begun.close();
  const child = trainInChild(path);
  while (readRun(path).status.step < 6) await wait(5);
  child.kill('SIGKILL');
  expect((await child.ended).end).toBe('SIGKILL');
  expect(await trainInChild(path).ended).toEqual({ end: 0, errors: '' });
  await using run = await RunDirectory.open(path);
  expect(weightsHash(run, 12)).toBe(weightsHash(undisturbed, 12));
  expect(judgementsOf(path)).toHaveLength(new Set(endpoint.asked.map(({ messages }) => messages[0]?.content)).size);
});

test.each([
  [
    'answers nonsense',
    (asked: object, response: never) => reply(response, 'rather good', asked as never),
    '"rather good"',
  ],
  ['stops', (_: object, response: { destroy(): void }) => void response.destroy(), 'the connection failed'],
])('a judge that %s: an error, and the run goes on once it is back', async (_, fails, message) => {
  let broken = false;
  const endpoint = await standIn(undefined, (asked, response, tries) => {
    if (broken) fails(asked, response as never);
    else reply(response, scoreOf(asked.messages[0]?.content ?? '', tries), asked);
    return true;
  });
  await using run = await createRun(recipeFor(endpoint));
  const watching = (async () => {
    while (readRun(run.path).status.step < 1) await wait(1);
    broken = true;
  })();
  await expect(continueHere(run)).rejects.toThrow(message);
  await watching;
  const saved = (await run.checkpoints()).map(({ step }) => step);
  expect(saved.length).toBeGreaterThan(0);
  broken = false;
  await continueHere(run);
  expect(run.status.state).toBe('finished');
});

test('a stop is heeded while a judge hangs: the steps before are saved, and going on gives the same bits', async () => {
  const undisturbed = await trainHere(recipeFor(await judge(), {}, { save_steps: 4 }));
  let hangsAt: RunDirectory | null = null;
  const signal = { stopRequested: false, saveRequested: false };
  const endpoint = await standIn(undefined, (asked, response) => {
    if (hangsAt?.status.step === 2) signal.stopRequested = true;
    else reply(response, scoreOf(asked.messages[0]?.content ?? '', 1), asked);
    return true;
  });
  await using run = await createRun(recipeFor(endpoint, {}, { save_steps: 4 }));
  hangsAt = run;
  await continueHere(run, { signal });
  expect(run.events.at(-1)).toMatchObject({ type: 'stopped', step: 2 });
  expect((await run.checkpoints()).map(({ step }) => step)).toEqual([2]);
  hangsAt = null;
  await continueHere(run);
  expect(run.status.state).toBe('finished');
  expect(weightsHash(run, 4)).toBe(weightsHash(undisturbed, 4));
  expect(judgementsOf(run.path)).toHaveLength(judgementsOf(undisturbed.path).length);
});

test.each([
  ['in the middle', 2],
  ['after the last step', 4],
])(
  'a stop is heeded while judges of the validation rows hang, %s: it is made up for when the run goes on',
  async (_when, at) => {
    const changes = {
      save_steps: 10,
      val_set_size: 0.4,
      eval_steps: at,
      save_total_limit: 1,
      load_best_model_at_end: true,
    };
    const undisturbed = await trainHere(recipeFor(await judge(), {}, changes));
    const signal = { stopRequested: false, saveRequested: false };
    let hanging: RunDirectory | null = null;
    const endpoint = await standIn(undefined, (asked, response) => {
      // Its event is written before its validation begins.
      if (hanging?.status.step === at) signal.stopRequested = true;
      else reply(response, scoreOf(asked.messages[0]?.content ?? '', 1), asked);
      return true;
    });
    await using run = await createRun(recipeFor(endpoint, {}, changes));
    hanging = run;
    for (let launch = 0; launch < 2; launch++) {
      await continueHere(run, { signal });
      expect(run.events.at(-1)).toMatchObject({ type: 'stopped', step: at });
      expect((await run.checkpoints()).at(-1)).toEqual({ step: at, path: expect.any(String) });
      signal.stopRequested = false;
    }
    hanging = null;
    await continueHere(run);
    expect(run.status.state).toBe('finished');
    expect(eventsOf(run, 'evaluated').map(untimed)).toEqual(eventsOf(undisturbed, 'evaluated').map(untimed));
    expect(stateAfter(run, 4)).toEqual(stateAfter(undisturbed, 4));
    expect(weightsHash(run, 4)).toBe(weightsHash(undisturbed, 4));
  },
);

test('a key or a column that is not there is said', async () => {
  const endpoint = await judge();
  const missing = recipeFor(endpoint, { api_key_env: 'ANNEAL_TEST_NO_SUCH_KEY' });
  await expect(trainHere(missing)).rejects.toMatchObject({ code: 'api_key_missing' });
  await expect(trainHere(recipeFor(endpoint, { field: 'nothing' }))).rejects.toThrow("the row has no field 'nothing'");
  expect(endpoint.asked).toEqual([]);
});
