/** What is kept of a long run is what its log says, however the log was read: at once, in parts, or through what was kept. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { RunFeed } from './feed.ts';
import { KeptHistories } from './keptHistories.ts';
import { RunIndex } from './runIndex.ts';

const noIndex = () => new RunIndex(':memory:', () => expect.unreachable());

let folder: string;
let run: string;
const log = () => join(run, 'events.jsonl');
const options = { from: null, to: null, buckets: 50, smoothing: 0.9 };

beforeEach(() => {
  folder = temporaryFolder('histories');
  run = join(folder, 'run');
  mkdirSync(run);
  writeFileSync(join(run, 'recipe.resolved.yaml'), 'base_model: model\n');
  writeFileSync(log(), '');
});

let seq = 0;
function write(...events: object[]): void {
  const lines = events.map((event) => {
    const time = new Date(1e12 + 1000 * ++seq).toISOString();
    return `${JSON.stringify({ seq, time, ...event })}\n`;
  });
  appendFileSync(log(), lines.join(''));
}
const step = (number: number, loss: number | null = 1 / number) => ({
  type: 'step',
  step: number,
  epoch: 0,
  loss,
  gradNorm: 2 + (number % 7),
  learningRate: 1e-4,
  tokens: 100,
  targetTokens: 40,
  tokensPerSecond: 1000 + number,
  milliseconds: 10,
});
const steps = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => step(first + at));

const judged = (first: number, last: number) =>
  steps(first, last).map((event) => ({
    ...event,
    rewardByFunction: { short: -event.step, 'my, own': event.step % 2 },
  }));

/** What an agent tells of the run that has kept what is in this folder. */
async function told(state: string) {
  const feed = new RunFeed('run', run, new KeptHistories(join(folder, state), () => expect.unreachable()), noIndex());
  await feed.refresh();
  const { summary, happenings } = feed;
  return { summary, happenings, all: feed.series(options), part: feed.series({ ...options, from: 4000, to: 4100 }) };
}

it('a log that is read in parts, with an agent for each, is read as one', async () => {
  seq = 0;
  write({ type: 'run_created', id: 'run', name: 'run' }, { type: 'started', totalSteps: 20_000 });
  write(...steps(1, 5000), step(5001, null), { type: 'checkpoint', step: 5001, path: 'checkpoints/5001' });
  await told('parts');
  expect(readdirSync(join(folder, 'parts', 'runs'))).toHaveLength(2);
  // What the launch did after its checkpoint is repeated by the next one, with other losses.
  write(...steps(5002, 12_000), { type: 'evaluated', step: 12_000, loss: 9, perplexity: 9 });
  await told('parts');
  write({ type: 'resumed', fromStep: 5001 }, { type: 'started', totalSteps: 20_000 }, step(5002, 99));
  write(...steps(5003, 9000));
  await told('parts');
  write(...steps(9001, 16_000), { type: 'finished', step: 16_000, loss: 0.1 });
  const inParts = await told('parts');
  expect(inParts).toEqual(await told('at-once'));
  expect(inParts.summary).toMatchObject({ step: 16_000, state: 'finished', lowestEvaluationLoss: null });
  expect(inParts.all).toMatchObject({ extent: [1, 16_000], notFinite: [5001], resumes: [5001], checkpoints: [5001] });
  expect(inParts.all.tokens.at(-1)).toBe(1_600_000);
  expect(Math.max(...inParts.all.bands.loss.max.map(Number))).toBe(99);
  expect(inParts.all.bands.reward).toEqual({ min: [], max: [], mean: [] });
  expect(inParts.part.step).toEqual(expect.arrayContaining([4000 + 1, 4100]));
});

it('the values of the reward functions are kept with the rest', async () => {
  seq = 0;
  write({ type: 'run_created', id: 'run', name: 'run' }, ...judged(1, 6000));
  await told('parts');
  write(...judged(6001, 7000));
  const inParts = await told('parts');
  expect(inParts).toEqual(await told('at-once'));
  const { short, 'my, own': own } = inParts.all.rewardByFunction;
  expect([short?.max[0], short?.min.at(-1)]).toEqual([-1, -7000]);
  expect(own?.mean).toEqual(inParts.all.step.map(() => 0.5));
  expect(inParts.all.bands.loss.max[0]).toBe(1);
});

it('what is kept of another log, or is damaged, is not used', async () => {
  seq = 0;
  write({ type: 'run_created', id: 'run', name: 'run' }, ...steps(1, 6000));
  const sound = await told('state');
  const [json, rows] = readdirSync(join(folder, 'state', 'runs')).sort();
  truncateSync(join(folder, 'state', 'runs', rows as string), 1000);
  expect(await told('state')).toEqual(sound);
  writeFileSync(join(folder, 'state', 'runs', json as string), '{');
  expect(await told('state')).toEqual(sound);
  seq = 0;
  writeFileSync(log(), '');
  write({ type: 'run_created', id: 'run', name: 'other' }, ...steps(1, 7000).map((event) => ({ ...event, loss: 3 })));
  const other = await told('state');
  expect(other.summary).toMatchObject({ name: 'other', step: 7000 });
  expect(new Set(other.all.bands.loss.max)).toEqual(new Set([3]));
});

it.each(['steps', 'json'])('a bit that flipped in the %s that are kept changes nothing that is told', async (kind) => {
  seq = 0;
  write({ type: 'run_created', id: 'run', name: 'run' }, ...steps(1, 10_000));
  const before = await told('state');
  const kept = join(folder, 'state', 'runs');
  const path = join(kept, readdirSync(kept).find((name) => name.endsWith(kind)) as string);
  const bytes = readFileSync(path);
  const at = kind === 'steps' ? bytes.length / 2 : bytes.lastIndexOf('"step":') + 7;
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
  expect(await told('state')).toEqual(before);
});

it('what is kept of runs that are gone is removed', async () => {
  seq = 0;
  write({ type: 'run_created', id: 'run', name: 'run' }, ...steps(1, 6000));
  await told('state');
  const kept = new KeptHistories(join(folder, 'state'), () => expect.unreachable());
  kept.retain([run]);
  expect(readdirSync(join(folder, 'state', 'runs'))).toHaveLength(2);
  kept.retain([]);
  expect(readdirSync(join(folder, 'state', 'runs'))).toEqual([]);
});

it('where nothing can be kept, that is said, and the run is shown all the same', async () => {
  seq = 0;
  write({ type: 'run_created', id: 'run', name: 'run' }, ...steps(1, 6000));
  const said: string[] = [];
  const kept = new KeptHistories(join(folder, 'state'), (text) => said.push(text));
  mkdirSync(join(folder, 'state'));
  writeFileSync(join(folder, 'state', 'runs'), 'no folder');
  const feed = new RunFeed('run', run, kept, noIndex());
  await feed.refresh();
  expect(feed.summary.step).toBe(6000);
  expect(said[0]).toContain('cannot be kept');
});
