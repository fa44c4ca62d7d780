import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { resolveRecipe } from '../../recipe/resolve.ts';
import { dataOptions } from '../../trainer/dataOptions.ts';
import type { PullOptions } from '../pull.ts';
import { COMMIT, type HubStandIn, startHub } from '../testing/hubStandIn.ts';
import { pullDataset } from './pull.ts';

const ID = 'someone/some-rows';
const NOWHERE = 'http://127.0.0.1:9';
const row = (text: string) => `${JSON.stringify({ text })}\n`;
const train = row('to train').repeat(20_000);
const files = {
  'README.md': '---\nlicense: mit\n---\n',
  'train.jsonl': train,
  'test.jsonl': row('to measure'),
  'load.py': 'print(1)',
};

let cacheDirectory: string;
const hubs: HubStandIn[] = [];

beforeEach(async () => {
  cacheDirectory = temporaryFolder('datasets');
  vi.stubEnv('HF_TOKEN', 'hf_secretsecret');
  vi.stubEnv('HF_HUB_OFFLINE', undefined);
  vi.stubEnv('ANNEAL_CACHE', cacheDirectory);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(hubs.splice(0).map(({ close }) => close()));
});

async function hub(contents: Record<string, string> = files, options?: { gated: boolean }): Promise<HubStandIn> {
  const started = await startHub(ID, contents, options);
  hubs.push(started);
  return started;
}

function pull(more: Partial<PullOptions>, asked: { name?: string; split?: string; revision?: string } = {}) {
  const selection = { revision: null, name: null, split: 'train', dataFiles: null, ...asked };
  return pullDataset(ID, selection, { cacheDirectory, hubUrl: NOWHERE, modelScopeUrl: NOWHERE, ...more });
}

test.each(['hugging_face', 'model_scope'])(
  'of %s only the files of the split come, and are found by the recipe',
  async (kind) => {
    const { url, transfers } = await hub();
    const where = kind === 'hugging_face' ? { hubUrl: url } : { modelScopeUrl: url };
    const pulled = await pull(where);
    expect(pulled.files.map(({ path }) => path)).toEqual(['train.jsonl']);
    expect(await readFile(join(pulled.folder, 'train.jsonl'), 'utf8')).toBe(train);
    expect(new Set(transfers.map(({ path }) => path))).toEqual(new Set(['README.md', 'train.jsonl']));
    expect(await pull(where)).toEqual(pulled);

    const recipe = { base_model: 'someone/model', datasets: [{ path: ID, split: 'train' }] };
    const resolved = resolveRecipe(recipe, { baseDirectory: cacheDirectory });
    expect(resolved.datasets[0]).toMatchObject({ path: ID, revision: kind === 'hugging_face' ? COMMIT : 'master' });
    expect(dataOptions(resolved).prepare.datasets[0]?.files).toEqual([join(pulled.folder, 'train.jsonl')]);
    expect(resolveRecipe(resolved, { baseDirectory: '/' })).toEqual(resolved);
  },
);

test('the token goes to the hub alone', async () => {
  const first = await hub({ 'x.zip': '' }, { gated: true });
  const second = await hub();
  first.answers.set('/resolve/', (response) => {
    response.writeHead(302, { location: `${second.url}/datasets/${ID}/resolve/${COMMIT}/train.jsonl` }).end();
  });
  first.files.set('train.jsonl', Buffer.from(train));
  await pull({ hubUrl: first.url });
  expect(first.requests.every(({ authorization }) => authorization === 'Bearer hf_secretsecret')).toBe(true);
  expect(second.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
});

/** Where what has arrived of train.jsonl is collected. */
const partOfTrain = () => join(cacheDirectory, 'datasets', ID, 'main@@train.partial-hugging_face', 'train.jsonl.part');

test('a broken transfer goes on where it stopped', async () => {
  const { url, transfers, breakAfter, collectedIn } = await hub();
  breakAfter.set('train.jsonl', [100_000]);
  collectedIn.set('train.jsonl', partOfTrain());
  const { folder } = await pull({ hubUrl: url });
  expect(await readFile(join(folder, 'train.jsonl'), 'utf8')).toBe(train);
  expect(transfers.map(({ range }) => range)).toContain('bytes=100000-');
});

test('a set that changes meanwhile, and one that is gated or gone, are said, and leave nothing to train on', async () => {
  const changing = await hub();
  changing.announcedSha256.set('train.jsonl', 'f'.repeat(64));
  await expect(pull({ hubUrl: changing.url })).rejects.toMatchObject({
    code: 'dataset_not_fetched',
    what: expect.stringMatching(/train\.jsonl is damaged: its SHA-256 is/),
  });
  vi.stubEnv('HF_TOKEN', undefined);
  const gated = await hub(files, { gated: true });
  await expect(pull({ hubUrl: gated.url })).rejects.toMatchObject({ what: expect.stringContaining('set HF_TOKEN') });
  const other = await startHub('someone/else', files);
  hubs.push(other);
  await expect(pull({ hubUrl: other.url })).rejects.toMatchObject({ what: expect.stringContaining('HTTP 404') });

  const recipe = { base_model: 'someone/model', datasets: [{ path: ID, split: 'train' }] };
  expect(() => dataOptions(resolveRecipe(recipe, { baseDirectory: cacheDirectory }))).toThrow(
    expect.objectContaining({
      code: 'dataset_not_pulled',
      next: `fetch it with: anneal pull --data ${ID} --split train`,
    }),
  );
});

const OTHER = 'fedcba9876543210fedcba9876543210fedcba98';
/** As long as `train`. */
const later = row('to_train').repeat(20_000);
const revisionWith = (text: string) => ({ commit: OTHER, files: new Map([['train.jsonl', Buffer.from(text)]]) });

test.each([
  ['hugging_face', 'v2', 'v2'],
  ['hugging_face', 'v2', OTHER],
  ['hugging_face', 'refs/convert/parquet', 'refs/convert/parquet'],
  ['model_scope', 'v2', 'v2'],
])('of %s the revision %s comes where %s is asked for, beside the newest', async (kind, name, revision) => {
  const { url, revisions } = await hub();
  revisions.set(name, revisionWith(later));
  const where = kind === 'hugging_face' ? { hubUrl: url } : { modelScopeUrl: url };
  const commit = kind === 'hugging_face' ? OTHER : name;
  const [newest, pulled] = [await pull(where), await pull(where, { revision })];
  expect(pulled.revision).toBe(commit);
  expect(await readFile(join(pulled.folder, 'train.jsonl'), 'utf8')).toBe(later);
  expect(await readFile(join(newest.folder, 'train.jsonl'), 'utf8')).toBe(train);

  const recipe = { base_model: 'someone/model', datasets: [{ path: ID, split: 'train', revision }] };
  const resolved = resolveRecipe(recipe, { baseDirectory: cacheDirectory });
  expect(resolved.datasets[0]).toMatchObject({ revision: commit });
  expect(dataOptions(resolved).prepare.datasets[0]?.files).toEqual([join(pulled.folder, 'train.jsonl')]);
  await expect(pull(where, { revision: 'v3' })).rejects.toMatchObject({ code: 'dataset_not_fetched' });
});

test('a subset comes by its name, and lies beside another', async () => {
  const card =
    '---\nconfigs:\n- {config_name: en, data_files: en.jsonl}\n- {config_name: de, data_files: de.jsonl}\n---\n';
  const { url, transfers } = await hub({ 'README.md': card, 'en.jsonl': row('one'), 'de.jsonl': row('eins') });
  await expect(pull({ hubUrl: url })).rejects.toMatchObject({
    code: 'dataset_name_needed',
    next: expect.stringContaining('en, de'),
  });
  await expect(pull({ hubUrl: url }, { name: 'fr' })).rejects.toMatchObject({ code: 'dataset_name_unknown' });
  const [german, english] = [await pull({ hubUrl: url }, { name: 'de' }), await pull({ hubUrl: url }, { name: 'en' })];
  expect(await readFile(join(german.folder, 'de.jsonl'), 'utf8')).toBe(row('eins'));
  expect(german.files.map(({ path }) => path)).toEqual(['de.jsonl']);
  expect(transfers.filter(({ path }) => path !== 'README.md').map(({ path }) => path)).toEqual([
    'de.jsonl',
    'en.jsonl',
  ]);

  const recipe = { base_model: 'someone/model', datasets: [{ path: ID, split: 'train', name: 'en' }] };
  const { prepare } = dataOptions(resolveRecipe(recipe, { baseDirectory: cacheDirectory }));
  expect(prepare.datasets[0]?.files).toEqual([join(english.folder, 'en.jsonl')]);
});

test('a branch that moves while it is fetched is fetched as it was, and a pull that was broken off has nothing of before', async () => {
  const { url, revisions, breakAfter, collectedIn, transfers } = await hub();
  const moves = () => void revisions.set('main', revisionWith(later));
  breakAfter.set('train.jsonl', [100_000]);
  collectedIn.set('train.jsonl', partOfTrain());
  const { folder, revision } = await pull({
    hubUrl: url,
    onProgress: ({ phase }) => phase === 'downloading' && moves(),
  });
  expect(transfers.at(-1)).toMatchObject({ range: expect.stringContaining('bytes=') });
  expect(revision).toBe(COMMIT);
  expect(await readFile(join(folder, 'train.jsonl'), 'utf8')).toBe(train);
  expect(await pull({ hubUrl: url })).toMatchObject({ revision: COMMIT });

  revisions.clear();
  cacheDirectory = temporaryFolder('datasets');
  breakAfter.set('train.jsonl', [100_000]);
  collectedIn.set('train.jsonl', partOfTrain());
  const stop = new AbortController();
  const onProgress = ({ receivedBytes = 0 }) => receivedBytes > 0 && stop.abort();
  await expect(pull({ hubUrl: url, onProgress, signal: stop.signal })).rejects.toThrow();
  moves();
  const again = await pull({ hubUrl: url });
  expect(again.revision).toBe(OTHER);
  expect(await readFile(join(again.folder, 'train.jsonl'), 'utf8')).toBe(later);
});

test('a branch of ModelScope that moves between its list and a file is said, and comes when it is asked for again', async () => {
  const { url, revisions, answers } = await hub();
  answers.set('FilePath=train.jsonl', (response) => {
    revisions.set('main', revisionWith(later));
    response.writeHead(200, { 'content-length': later.length }).end(later);
  });
  await expect(pull({ modelScopeUrl: url })).rejects.toMatchObject({
    code: 'dataset_not_fetched',
    what: expect.stringMatching(/train\.jsonl is damaged: its SHA-256 is/),
  });
  answers.clear();
  const { folder } = await pull({ modelScopeUrl: url });
  expect(await readFile(join(folder, 'train.jsonl'), 'utf8')).toBe(later);
});

test('revision and name are refused for files of this machine', async () => {
  await writeFile(join(cacheDirectory, 'rows.jsonl'), row('here'));
  const recipe = { base_model: 'someone/model', datasets: [{ path: 'rows.jsonl', revision: 'main' }] };
  expect(() => resolveRecipe(recipe, { baseDirectory: cacheDirectory })).toThrow(
    /`revision` is for data sets of a hub/,
  );
});
