/** Data sets of hubs by the agent: downloaded as a job, listed, looked at, written into a recipe; and from afar. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { COMMIT, sha256, startHub } from '../../../packages/core/src/hub/testing/hubStandIn.ts';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';
import { client, makePlace, paired, start } from './helpers/daemon.ts';
import { ended } from './helpers/jobs.ts';

const id = 'someone/capitals';
const nothing = { recipe: null, file: null, hub: null, model: null, mapping: null };

async function served() {
  const rows = temporaryFolder();
  writeCapitalsTask(rows, 30);
  const contents = readFileSync(join(rows, 'rows.jsonl'));
  const hub = await startHub(id, { 'data/train.jsonl': contents, 'data/test.jsonl': contents.subarray(0, 400) });
  onTestFinished(() => hub.close());
  const place = makePlace();
  const cache = join(place.workspace, '..', 'cache');
  const environment = { ANNEAL_CACHE: cache, HF_ENDPOINT: hub.url, HF_TOKEN: '', MODELSCOPE_DOMAIN: '127.0.0.1:9' };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = join(place.workspace, 'project');
  const model = writeTinyModel(temporaryFolder());
  await beginProject({}, { folder, model, data: writeCapitalsTask(folder, 30) });
  const daemon = await start(place);
  return { hub, model, place, daemon, environment, api: client(daemon, await paired(daemon)).api };
}

test('a data set of a hub is downloaded, looked at and written into a recipe, here and from afar', async () => {
  const { place, daemon, api } = await served();
  const unclear = await api.models.pull.mutate({ model: id, data: {} });
  expect(await ended(api, unclear.job)).toMatchObject({ state: 'failed', error: { code: 'dataset_split_needed' } });
  expect((await api.data.list.query()).hub).toEqual([]);

  const { job } = await api.models.pull.mutate({ model: id, data: { split: 'train' } });
  const done = await ended(api, job);
  expect(done).toMatchObject({ kind: 'pullData', subject: `${id} (train)`, state: 'finished' });
  const { key } = done.result as { key: string };
  expect((await api.data.list.query()).hub).toMatchObject([
    { key, id, split: 'train', name: null, revision: null, files: null, isWhole: true, commit: COMMIT, license: 'mit' },
  ]);
  const window = await api.data.rows.query({ ...nothing, hub: key, offset: 0, limit: 2 });
  expect(window).toMatchObject({ total: 30, rows: [{ number: 1 }, { number: 2 }] });
  await expect(api.data.rows.query({ ...nothing, hub: `${key}/..`, offset: 0, limit: 1 })).rejects.toThrow(
    'there is no such data set of a hub here',
  );

  const recipe = 'project/recipe.yaml';
  await api.recipes.addDataset.mutate({ recipe, hub: key, mapping: { type: 'chat_template' } });
  const resolved = JSON.stringify((await api.recipes.validate.query({ recipe })).recipe);
  expect(JSON.parse(resolved).datasets[1]).toMatchObject({ path: id, split: 'train', revision: COMMIT });

  const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('laptop', 'operator');
  const remote = annealIn(temporaryFolder(), { ANNEAL_HOST: daemon.url, ANNEAL_TOKEN: token });
  const shown = await remote('remote', 'inspect', id, '--row', '1');
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('kept') });
  expect(await remote('remote', 'pull', '--data', id, '--split', 'test')).toMatchObject({ code: 0 });
  const many = await remote('remote', 'inspect', id);
  expect(many).toMatchObject({ code: 2, stderr: expect.stringContaining('the agent has 2 parts of this data set') });
});

test('a download that was cancelled is listed with what has arrived, and goes on there', async () => {
  const { hub, api } = await served();
  const whole = hub.files.get('data/train.jsonl') as Buffer;
  hub.answers.set('data/train.jsonl', (response) => {
    response.writeHead(200, { 'content-length': whole.length, etag: `"${sha256(whole)}"` });
    response.write(whole.subarray(0, 1000));
  });
  const { job } = await api.models.pull.mutate({ model: id, data: { split: 'train' } });
  const parts = async () => (await api.data.list.query()).hub;
  await vi.waitFor(async () => expect(await parts()).toMatchObject([{ split: 'train', isWhole: false }]), 20_000);
  await api.jobs.cancel.mutate({ job });
  expect((await ended(api, job)).state).toBe('cancelled');
  const [part] = await parts();
  expect(part).toMatchObject({ id, isWhole: false, commit: null });
  expect(part?.bytes).toBeGreaterThanOrEqual(1000);
  await expect(api.data.rows.query({ ...nothing, hub: part?.key ?? null, offset: 0, limit: 1 })).rejects.toThrow(
    'there is no such data set of a hub here',
  );
  hub.answers.clear();
  const again = await api.models.pull.mutate({ model: id, data: { split: 'train' } });
  expect((await ended(api, again.job)).state).toBe('finished');
  expect(hub.transfers.at(-1)?.range).toBe('bytes=1000-');
  expect(await parts()).toMatchObject([{ isWhole: true, bytes: expect.any(Number) }]);
});

test('the command line looks at what was pulled without a recipe', async () => {
  const { place, model, environment } = await served();
  const anneal = annealIn(place.workspace, environment);
  const inspect = ['inspect', id, '--model', model, '--set', 'datasets.0.split=train', '--row', '1'];
  expect(await anneal(...inspect)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`anneal pull --data ${id} --split train`),
  });
  expect(await anneal('pull', '--data', id, '--split', 'train')).toMatchObject({ code: 0 });
  expect(await anneal(...inspect)).toMatchObject({ code: 0, stdout: expect.stringContaining('kept') });
});
