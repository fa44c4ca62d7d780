/** What the list shows of runs that nobody writes is what their files say, and costs no reading of logs. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { thisProcess } from '@anneal/formats/files/processOwner';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { RunQueue } from '../../service/queue/runQueue.ts';
import { Workspace } from '../workspace.ts';
import { RunFeeds } from './feeds.ts';
import { KeptHistories } from './keptHistories.ts';
import { indexPath, RunIndex } from './runIndex.ts';

let folder: string;
let state: string;
const runOf = (name: string) => join(folder, 'runs', name);
const logOf = (name: string) => join(runOf(name), 'events.jsonl');
const said: string[] = [];
const opened: { close(): void }[] = [];

beforeEach(() => {
  folder = temporaryFolder('index');
  state = join(folder, '.state');
  mkdirSync(state);
  said.length = 0;
});
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

function event(seq: number, more: object): string {
  return `${JSON.stringify({ seq, time: '2026-01-01T00:00:00.000Z', ...more })}\n`;
}

const step = (seq: number, loss: number) =>
  event(seq, {
    type: 'step',
    step: seq - 2,
    epoch: 1,
    loss,
    gradNorm: 1,
    learningRate: 1,
    tokens: 1,
    targetTokens: 1,
    tokensPerSecond: 1,
    milliseconds: 1,
  });

function writeRun(name: string): void {
  mkdirSync(runOf(name), { recursive: true });
  writeFileSync(join(runOf(name), 'recipe.resolved.yaml'), 'base_model: m\nadapter: lora\nseed: 1\n');
  const begun =
    event(1, { type: 'run_created', version: 1, id: name, name }) + event(2, { type: 'started', totalSteps: 9 });
  writeFileSync(logOf(name), begun + step(3, 0.5) + event(4, { type: 'finished', step: 1, loss: 0.5 }));
  settle(name);
}

/** As if nothing had happened to it for a long time. */
function settle(name: string): void {
  const before = new Date('2026-01-01');
  for (const path of [logOf(name), runOf(name)]) utimesSync(path, before, before);
}

/** An agent that was just started. */
function agent() {
  for (const one of opened.splice(0)) one.close();
  const index = new RunIndex(indexPath(state), (text) => said.push(text));
  const kept = new KeptHistories(state, (text) => said.push(text));
  const feeds = new RunFeeds(new Workspace(folder), new RunQueue(state), kept, index);
  opened.push(feeds, index);
  return feeds;
}

const listOf = async (feeds: RunFeeds) => (await feeds.all()).map(({ summary }) => summary);

it('lists what it listed before, without opening a log, and opens it for who asks', async () => {
  for (const name of ['a', 'b']) writeRun(name);
  const first = await listOf(agent());
  expect(first).toMatchObject([{ state: 'finished', loss: 0.5, baseModel: 'm', outline: [0.5] }, { key: 'runs/b' }]);
  // Same size, same times: what is read now would be another loss.
  writeFileSync(logOf('a'), readFileSync(logOf('a'), 'utf8').replaceAll('"loss":0.5', '"loss":0.7'));
  settle('a');
  const feeds = agent();
  expect(await listOf(feeds)).toEqual(first);
  const feed = await feeds.get('runs/a');
  expect(feed.steps.length).toBe(1);
  expect(feed.newsAfter(0).events.map(({ type }) => type)).toEqual(['run_created', 'started', 'step', 'finished']);
  expect(feed.seq).toBe(4);
  expect(said).toEqual([]);
});

it('looks again when a run goes on, is spoken of, is another one or gone', async () => {
  for (const name of ['a', 'b', 'c', 'd']) writeRun(name);
  const feeds = agent();
  await listOf(feeds);
  appendFileSync(logOf('a'), event(5, { type: 'resumed', fromStep: 1, checkpoint: null }) + step(6, 0.25));
  writeFileSync(join(runOf('a'), 'run.lock'), JSON.stringify({ ...thisProcess(), nonce: 'x' }));
  writeFileSync(
    join(runOf('b'), 'remarks.json'),
    JSON.stringify({ version: 1, note: { text: 'mine', by: 'Ada', time: '' }, tags: ['x'] }),
  );
  rmSync(runOf('c'), { recursive: true });
  rmSync(runOf('d'), { recursive: true });
  cpSync(runOf('b'), runOf('d'), { recursive: true });
  const expected = [
    { key: 'runs/a', state: 'running', loss: 0.25, seq: 6 },
    { key: 'runs/b', note: { text: 'mine' }, tags: ['x'] },
    { key: 'runs/d', note: { text: 'mine' }, id: 'b' },
  ];
  expect(await listOf(feeds)).toMatchObject(expected);
  expect(await listOf(agent())).toMatchObject(expected);
  rmSync(join(runOf('a'), 'run.lock'));
  expect((await listOf(agent()))[0]).toMatchObject({ state: 'interrupted' });
});

const damages: Record<string, (path: string) => void> = {
  'its file is cut': (path) => truncateSync(path, 5000),
  'its first page is another one': (path) => overwrite(path, 100),
  'its rows are there, and what finds them is not': (path) => overwrite(path, 8192),
  'its table is another one': (path) => edit(path, 'DROP TABLE runs; CREATE TABLE runs (other INTEGER)'),
  'there is a view in place of its table': (path) => edit(path, 'DROP TABLE runs; CREATE VIEW runs AS SELECT 1 AS run'),
  'a row is none of ours': (path) => edit(path, "UPDATE runs SET digest = '{}'"),
};

function overwrite(path: string, at: number): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xff, at, at + 8));
}

function edit(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

it.each(Object.entries(damages))('an index is made again, once, where %s', async (_, damage) => {
  writeRun('a');
  const first = await listOf(agent());
  agent();
  for (const one of opened.splice(0)) one.close();
  damage(indexPath(state));
  expect(await listOf(agent())).toEqual(first);
  expect(await listOf(agent())).toEqual(first);
  expect(said).toEqual([expect.stringContaining('damaged, and is made again')]);
});

it('a damaged index is said and made again, one that cannot be kept is said', async () => {
  writeRun('a');
  const first = await listOf(agent());
  agent();
  for (const one of opened.splice(0)) one.close();
  writeFileSync(indexPath(state), 'no database, and longer than its first hundred bytes'.repeat(9));
  expect(await listOf(agent())).toEqual(first);
  expect(said).toEqual([expect.stringContaining('damaged, and is made again')]);
  expect(await listOf(agent())).toEqual(first);
  expect(said).toHaveLength(1);
  for (const one of opened.splice(0)) one.close();
  rmSync(indexPath(state));
  mkdirSync(indexPath(state));
  expect(await listOf(agent())).toEqual(first);
  expect(said[1]).toContain('cannot be kept');
});
