/** Estimates while a recipe is written: shared by those who look at the same text, one at a time, and given up when nobody does. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StepEvent } from '@anneal/core/protocol/studio';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';
import { newestAlike, timeOf } from '../src/daemon/recipes/estimateOnHost.ts';
import { LiveEstimates } from '../src/daemon/recipes/liveEstimates.ts';
import { StepTable } from '../src/daemon/runs/stepTable.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { client, makePlace, paired, start } from './helpers/daemon.ts';

const folder = temporaryFolder('estimates');
const path = join(folder, 'recipe.yaml');
let text: string;

beforeAll(async () => {
  await beginProject({}, { folder });
  text = readFileSync(path, 'utf8');
});

type Watched = ReturnType<LiveEstimates['watch']>;

async function allOf(watched: Watched) {
  const all = [];
  for await (const found of watched) all.push(found);
  return all;
}

const stagesOf = async (watched: Watched) => (await allOf(watched)).map(({ stage }) => stage);

it('is made once for all who look at a text, and of the text that they see', async () => {
  const estimates = new LiveEstimates({});
  const { signal } = new AbortController();
  const written = text.replace(/num_epochs: .*/, 'num_epochs: 7');
  const [found] = (await allOf(estimates.watch(path, written, false, signal))).slice(-1);
  if (found?.stage !== 'estimated') throw new Error(`it ended with ${found?.stage}`);
  expect(found.estimate.steps.total).toBe(7 * found.estimate.steps.perEpoch);
  const same = [1, 2].map(() => allOf(estimates.watch(path, text, false, signal)));
  const [one, two] = await Promise.all(same);
  expect(one?.at(-1)).toBe(two?.at(-1));
});

it('waits while another one is made, and goes on when nobody looks at that any more', async () => {
  const estimates = new LiveEstimates({});
  const left = new AbortController();
  const first = estimates.watch(path, text, false, left.signal);
  await first.next();
  const second = stagesOf(estimates.watch(path, `${text}# otherwise\n`, false, new AbortController().signal));
  left.abort();
  await first.return(undefined);
  const stages = await second;
  expect(stages[0]).toBe('waiting');
  expect(stages.at(-1)).toBe('estimated');
});

it('is forgotten where the only one who looked had left before it began', async () => {
  const estimates = new LiveEstimates({});
  expect(await stagesOf(estimates.watch(path, text, false, AbortSignal.abort()))).toEqual([]);
  expect((await stagesOf(estimates.watch(path, text, false, new AbortController().signal))).at(-1)).toBe('estimated');
});

it('says what keeps it from being made, and prepares many data only when it is asked to', async () => {
  const estimates = new LiveEstimates({}, 1);
  const { signal } = new AbortController();
  const data = join(folder, 'data', 'harbour.jsonl');
  appendFileSync(data, '\n');
  const watch = async (prepare: boolean, written = text) =>
    (await allOf(estimates.watch(path, written, prepare, signal))).at(-1);
  const unprepared = await watch(false);
  const estimated = await watch(true);
  if (unprepared?.stage !== 'unprepared' || estimated?.stage !== 'estimated') throw new Error('it ended otherwise');
  expect(unprepared.error).toMatchObject({ code: 'data_not_prepared' });
  // The memory does not depend on the rows: it is known to the byte before they are read.
  expect(unprepared.planned?.memory).toEqual(estimated.estimate.memory);
  expect(unprepared.planned?.fit.memory.needed).toBe(estimated.estimate.fit.memory.needed);
  expect(await watch(false)).toMatchObject({ stage: 'estimated' });
  await expect(watch(true, 'lora_rr: 1')).rejects.toMatchObject({ code: 'invalid_recipe' });
});

function tableOf(speeds: readonly number[]): StepTable {
  const table = new StepTable(join(folder, 'steps'));
  const step = {
    type: 'step',
    step: 1,
    epoch: 1,
    loss: 1,
    gradNorm: 1,
    learningRate: 1,
    tokens: 1,
    targetTokens: 1,
  } as const;
  for (const tokensPerSecond of speeds) table.add({ ...step, tokensPerSecond, milliseconds: 1 } as StepEvent, 1);
  return table;
}

const measured = (key: string, updated: string, speeds: number[], more: object = {}) => ({
  summary: { key, baseModel: 'm', adapter: 'lora', device: 'cpu', step: speeds.length, updated, ...more },
  steps: tableOf(speeds),
});

it('takes the speed from the newest run of the same model and adapter on the same device', () => {
  const estimate = { steps: { total: 30, perEpoch: 10 }, data: { tokens: 1000 } } as Parameters<typeof timeOf>[0];
  const runs = [
    measured('old', '2026-01-01', [10]),
    measured('new', '2026-02-01', [Number.NaN, 7, 100, 5000]),
    measured('other', '2026-03-01', [10], { baseModel: 'n' }),
    measured('elsewhere', '2026-03-01', [10], { device: 'cuda:9' }),
    measured('not begun', '2026-03-01', []),
  ];
  const recipe = { base_model: 'm', adapter: 'lora' } as const;
  const newest = runs.find(({ summary }) => summary === newestAlike(recipe, 'cpu', runs));
  expect(timeOf(estimate, newest as NonNullable<typeof newest>)).toEqual({ seconds: 30, run: 'new' });
  expect(newestAlike({ ...recipe, adapter: null }, 'cpu', runs)).toBeUndefined();
});

it('tells a browser what is free on each device', async () => {
  const place = makePlace();
  await beginProject({}, { folder: join(place.workspace, 'harbour') });
  const daemon = await start(place);
  const { api } = client(daemon, await paired(daemon));
  const recipe = 'harbour/recipe.yaml';
  const end = new Promise<unknown>((resolve, reject) =>
    api.recipes.liveEstimate.subscribe(
      { recipe, text, prepare: false },
      { onData: (found) => found.stage === 'estimated' && resolve(found), onError: reject },
    ),
  );
  const device = { name: 'cpu', free: expect.any(Number) };
  expect(await end).toMatchObject({ devices: expect.arrayContaining([device]), time: null });
});
