/** What takes room on the disk, and giving back what nobody needs. */
import { cpSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pulledModels } from '@anneal/core/hub/cache';
import { type StorageSurvey, storageSurveySchema } from '@anneal/core/protocol/storage';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { exitCodes } from '../src/exitCodes.ts';
import { finish } from '../src/service/finish.ts';
import { removeRuns } from '../src/service/runs/remove.ts';
import { cleanStorage } from '../src/service/storage/clean.ts';
import { surveyStorage } from '../src/service/storage/survey.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';
import { client, makePlace, paired, start } from './helpers/daemon.ts';
import { trainedRun } from './helpers/trainedRun.ts';

let trained: string;
beforeAll(async () => {
  trained = await trainedRun();
});

/** A workspace with two copies of a run, which has a checkpoint beside its last one, and an upload that broke off. */
function place() {
  const made = makePlace();
  const runsFolder = join(made.workspace, 'harbor', 'runs');
  const [first, second] = [join(runsFolder, 'first'), join(runsFolder, 'second')];
  for (const run of [first, second]) cpSync(trained, run, { recursive: true });
  const cache = join(made.workspace, '..', 'cache');
  const before = process.env.ANNEAL_CACHE;
  process.env.ANNEAL_CACHE = cache;
  onTestFinished(() => {
    if (before === undefined) delete process.env.ANNEAL_CACHE;
    else process.env.ANNEAL_CACHE = before;
  });
  const uploads = join(made.workspace, '.anneal-uploads');
  mkdirSync(uploads);
  const [old, fresh] = ['a'.repeat(32), 'b'.repeat(32)].map((name) => join(uploads, name)) as [string, string];
  for (const path of [old, fresh]) writeFileSync(path, 'rows');
  utimesSync(old, new Date(0), new Date(0));
  writeFileSync(join(uploads, 'notes.txt'), 'mine');
  const pulled = join(cache, 'datasets', 'owner', 'set', 'main@@train');
  mkdirSync(pulled, { recursive: true });
  writeFileSync(join(pulled, 'rows.jsonl'), 'pulled');
  const file = join(made.workspace, 'harbor', 'rows.jsonl');
  writeFileSync(file, 'mine');
  const files = [{ path: file, name: 'harbor/rows.jsonl' }];
  return {
    ...made,
    runsFolder,
    first,
    second,
    cache,
    uploads,
    pulled,
    file,
    where: { runsFolders: [runsFolder], files, uploads },
  };
}

const bytesOf = ({ items }: StorageSurvey, kind: string) =>
  items.filter((item) => item.kind === kind).reduce((sum, { bytes }) => sum + bytes, 0);
const named = ({ items }: StorageSurvey) => items.map(({ kind, name, removable }) => [kind, name, removable]);

test('is told by kind; what may go is what no run needs', async () => {
  const { where, first, pulled, file } = place();
  await removeRuns({}, { runs: [join(where.runsFolders[0] as string, 'second')] });
  const survey = await finish(surveyStorage({}, where));
  expect(storageSurveySchema.parse(survey)).toEqual(survey);
  expect(named(survey).sort()).toEqual(
    [
      ['checkpoints', 'first', true],
      ['datasets', 'owner/set (train)', true],
      ['files', 'harbor/rows.jsonl', false],
      ['runs', 'first', false],
      ['trash', 'second', true],
      ['uploads', 'a'.repeat(32), true],
      ['uploads', 'b'.repeat(32), false],
    ].sort(),
  );
  const cleaned = await finish(
    cleanStorage({}, { ...where, items: survey.items.filter((one) => one.removable).map(({ id }) => id) }),
  );
  expect(cleaned).toMatchObject({ kept: [], removed: [{}, {}, {}, {}] });
  expect(cleaned.freed).toBe(bytesOf(survey, 'checkpoints') + bytesOf(survey, 'trash') + 4 + 'pulled'.length);
  expect([existsSync(pulled), existsSync(file)]).toEqual([false, true]);
  expect(readdirSync(join(first, 'checkpoints'))).toEqual(['checkpoint-60']);
  expect(readdirSync(where.runsFolders[0] as string)).toEqual(['first']);
  expect(readdirSync(where.uploads).sort()).toEqual(['b'.repeat(32), 'notes.txt']);
});

test('only what the survey names goes, and nothing where one of it may not', async () => {
  const { where, first, runsFolder, workspace, file } = place();
  const clean = (...items: string[]) => finish(cleanStorage({}, { ...where, items }));
  for (const wrong of [
    `runs ${first}`,
    `trash ${first}`,
    `trash ${workspace}`,
    `prepared ${runsFolder}`,
    `models ${first}`,
    `files ${file}`,
    `datasets ${file}`,
  ]) {
    await expect(clean(`checkpoints ${first}`, wrong)).rejects.toMatchObject({ code: 'storage_item_not_removable' });
  }
  expect(readdirSync(join(first, 'checkpoints')).sort()).toEqual(['checkpoint-59', 'checkpoint-60']);
  // A run with somebody's file in it is not removed, and comes back whole.
  const note = join(runsFolder, 'second', 'note.txt');
  writeFileSync(note, 'mine');
  await expect(removeRuns({}, { runs: [join(runsFolder, 'second')] })).rejects.toMatchObject({
    code: 'run_entry_foreign',
  });
  expect(existsSync(note)).toBe(true);
});

test('prepared data go, and a run is prepared anew', async () => {
  const { workspace, cache } = place();
  const project = join(temporaryFolder(), 'project');
  const anneal = annealIn(workspace, { ANNEAL_CACHE: cache });
  await anneal('init', project);
  const estimate = () => anneal('estimate', join(project, 'recipe.yaml'), '--json');
  const first = await estimate();
  const asked = await anneal('storage', 'clean', 'prepared');
  expect(asked).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringMatching(/would free .*: 1 item\n/) });
  expect(JSON.parse((await anneal('storage', 'clean', 'prepared', '--yes', '--json')).stdout)).toMatchObject({
    removed: [{ kind: 'prepared' }],
  });
  expect(readdirSync(join(cache, 'prepared'))).toEqual([]);
  const { fit: _, ...again } = JSON.parse((await estimate()).stdout);
  expect(JSON.parse(first.stdout)).toMatchObject(again);
});

test('a run that is removed in the studio is restored there; one that waits leaves the queue', async () => {
  const made = place();
  const daemon = await start(made);
  const { api } = client(daemon, await paired(daemon));
  await api.queue.setConcurrency.mutate({ device: 'cpu', runs: 0 });
  await api.runs.resume.mutate({ run: 'harbor/runs/first', set: ['max_steps=61'] });
  await api.runs.remove.mutate({ runs: ['harbor/runs/first', 'harbor/runs/second'] });
  await expect(api.runs.get.query({ run: 'harbor/runs/first' })).rejects.toMatchObject({
    data: { error: { code: 'run_not_found' } },
  });
  expect(await api.runs.removed.query()).toMatchObject([{ key: 'harbor/runs/first' }, { key: 'harbor/runs/second' }]);
  await api.runs.restore.mutate({ run: 'harbor/runs/first' });
  expect(await api.runs.get.query({ run: 'harbor/runs/first' })).toMatchObject({ state: 'finished', queued: null });
  await expect(api.runs.restore.mutate({ run: '../../first' })).rejects.toMatchObject({
    data: { error: { code: 'run_not_in_trash' } },
  });
  const { items } = await api.storage.survey.query();
  const trash = items.filter(({ kind }) => kind === 'trash').map(({ id }) => id);
  expect(await api.storage.clean.mutate({ items: trash })).toMatchObject({ removed: [{ name: 'second' }], kept: [] });
  expect(await api.runs.removed.query()).toEqual([]);
});

test('files and folders of others in the cache are passed over', async () => {
  const { where, cache } = place();
  const model = join(cache, 'models', 'owner', 'model');
  mkdirSync(join(model, 'main.partial-1'), { recursive: true });
  writeFileSync(join(model, 'main.partial-1', 'half'), 'half');
  for (const kind of ['datasets', 'models']) {
    for (const folder of ['', 'owner', kind === 'models' ? 'owner/model' : 'owner/set']) {
      writeFileSync(join(cache, kind, folder, '.DS_Store'), 'mine');
      writeFileSync(join(cache, kind, folder, 'notes.txt'), 'mine');
      mkdirSync(join(cache, kind, folder, '50%', '100%'), { recursive: true });
    }
  }
  const ofCache = named(await finish(surveyStorage({}, where))).filter(([kind]) =>
    /datasets|models/.test(String(kind)),
  );
  expect(ofCache.sort()).toEqual([
    ['datasets', 'owner/set (train)', true],
    ['models', 'owner/model', true],
  ]);
  expect(pulledModels(cache)).toEqual([]);
});
