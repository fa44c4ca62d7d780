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

function pull(more: Partial<PullOptions>, asked: { split?: string; revision?: string } = {}) {
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

test('a broken transfer goes on where it stopped', async () => {
  const { url, transfers, breakAfter, collectedIn } = await hub();
  breakAfter.set('train.jsonl', [100_000]);
  collectedIn.set(
    'train.jsonl',
    join(cacheDirectory, 'datasets', ID, 'main@@train.partial-hugging_face', 'train.jsonl.part'),
  );
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

test('revision and name are refused for files of this machine', async () => {
  await writeFile(join(cacheDirectory, 'rows.jsonl'), row('here'));
  const recipe = { base_model: 'someone/model', datasets: [{ path: 'rows.jsonl', revision: 'main' }] };
  expect(() => resolveRecipe(recipe, { baseDirectory: cacheDirectory })).toThrow(
    /`revision` is for data sets of a hub/,
  );
});
