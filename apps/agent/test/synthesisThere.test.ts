/** Rows made by an agent: whom it asks, with which key, what it reads and writes, and for whom. */
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Behavior, pairsAbout, standIn } from '../../../packages/core/src/synthesis/testing/endpointStandIn.ts';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import { EndpointStore } from '../src/daemon/secrets/endpointStore.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';
import { client, makePlace, paired, said, start, type TestClient } from './helpers/daemon.ts';
import { ended } from './helpers/jobs.ts';

const key = 'sk-of-harbor-1234';
const recipe = 'project/questions.yaml';

/** A folder with a recipe about six lighthouses, one in a request, served by an agent. */
async function served(behavior?: Behavior, about = pairsAbout) {
  const endpoint = await standIn(about, behavior);
  const place = makePlace();
  const cache = join(place.workspace, '..', 'cache');
  vi.stubEnv('ANNEAL_CACHE', cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  const project = join(place.workspace, 'project');
  mkdirSync(join(project, 'docs'), { recursive: true });
  const lines = Array.from({ length: 6 }, (_, i) => {
    const name = 'abcdef'[i]?.repeat(9);
    return `The ${name} lighthouse has ${i} steps and a lamp of ${name} glass, and ${i * 7} ships pass it.`;
  });
  writeFileSync(join(project, 'docs', 'lighthouses.md'), lines.join('\n\n'));
  const write = (keys: object = {}) =>
    writeFileSync(
      join(place.workspace, recipe),
      JSON.stringify({
        endpoint: { url: endpoint.url, model: 'small', concurrency: 2 },
        sources: [{ path: 'docs' }],
        output: 'data/rows.jsonl',
        chunk_chars: 150,
        ...keys,
      }),
    );
  write();
  const daemon = await start(place);
  const { api } = client(daemon, await paired(daemon));
  return { endpoint, place, project, write, daemon, api };
}

const made = async (api: TestClient['api'], more: object = {}) =>
  ended(api, (await api.synthesis.start.mutate({ recipe, ...more })).job);
const failed = (code: string) => ({ state: 'failed', error: { code } });

test('keys lie sealed, each for its address alone; addresses that no key may go to are refused', async () => {
  const folder = temporaryFolder();
  const store = new EndpointStore(folder);
  const path = join(folder, 'endpoints.json');
  await store.set({ name: 'lab', url: 'https://lab.example/v1/', secret: `${key}\n` }, 'Ada');
  expect(store.list()).toMatchObject([{ name: 'lab', url: 'https://lab.example/v1', ending: '1234', by: 'Ada' }]);
  expect(store.open()).toEqual([{ name: 'lab', url: 'https://lab.example/v1', apiKey: key }]);
  expect(readFileSync(path, 'latin1')).not.toContain('sk-of');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await store.set({ name: 'lab', url: 'https://lab.example/v1' }, null);
  expect(store.open()).toMatchObject([{ apiKey: key }]);
  await store.set({ name: 'lab', url: 'https://elsewhere.example/v1' }, null);
  expect(store.open()).toMatchObject([{ apiKey: null }]);
  await store.set({ name: 'lab', url: 'https://lab.example/v1', secret: key }, null);
  const moved = readFileSync(path, 'utf8').replace('lab.example', 'thief.example');
  writeFileSync(path, moved);
  expect(() => store.open()).toThrow(expect.objectContaining({ code: 'secrets_damaged' }));
  for (const [url, secret, code] of [
    ['http://lab.example/v1', key, 'endpoint_address'],
    ['file:///etc/passwd', null, 'endpoint_address'],
    ['https://ada:pass@lab.example/v1', null, 'endpoint_address'],
    ['https://other.example/v1', 'two words', 'bad_request'],
    ['https://thief.example/v1', null, 'endpoint_taken'],
  ] as const) {
    await expect(store.set({ name: 'other', url, secret }, null), url).rejects.toThrow(
      expect.objectContaining({ code }),
    );
  }
  await store.remove('lab');
  await expect(store.remove('lab')).rejects.toThrow(expect.objectContaining({ code: 'endpoint_not_found' }));
});

test('an agent asks whom its admin has configured, with the key of that address, and the rows are a data file', async () => {
  const { endpoint, place, daemon, api } = await served();
  expect(await api.synthesis.list.query()).toMatchObject([{ key: recipe }]);
  expect(await made(api)).toMatchObject(failed('endpoint_not_configured'));
  expect(endpoint.asked).toHaveLength(0);
  await api.endpoints.set.mutate({ name: 'stand-in', url: endpoint.url, secret: key });
  expect(await api.endpoints.list.query()).toMatchObject({
    endpoints: [{ name: 'stand-in', ending: '1234' }],
    own: `${daemon.url}/v1`,
  });
  expect(await made(api, { dryRun: true })).toMatchObject({ result: { state: 'estimated', requests: 6 } });
  expect(endpoint.asked).toHaveLength(0);
  const output = 'project/data/rows.jsonl';
  expect(await made(api)).toMatchObject({ state: 'finished', result: { state: 'finished', rows: 12, output } });
  expect(new Set(endpoint.headers.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${key}`]));
  expect((await api.data.list.query()).files.map((file) => file.key)).toContain(output);
  expect(await api.synthesis.rejected.query({ file: output })).toEqual({ total: 0, rows: [] });
  await made(api, { set: ['filters.must_not_match=abc|aaaa'] });
  expect(await api.synthesis.rejected.query({ file: output, limit: 1 })).toMatchObject({
    total: 2,
    rows: [{ reason: 'pattern', source: 'docs/lighthouses.md', question: expect.any(String) }],
  });
  const audit = JSON.stringify(await api.audit.page.query({}));
  expect(audit).toContain('endpoints.set');
  expect(audit).not.toContain('sk-of');
  expect(said.join()).not.toContain('sk-of');
  const lines = readFileSync(join(place.workspace, output), 'utf8');
  expect(lines).not.toContain('sk-of');

  const tokens = new ApiTokens(new AgentState(place.workspace).folder);
  const asked = endpoint.asked.length;
  for (const [scope, code] of [
    ['editor', exitCodes.failed],
    ['operator', exitCodes.done],
  ] as const) {
    const { token } = await tokens.create(scope, scope);
    const remote = annealIn(temporaryFolder(), { ANNEAL_HOST: daemon.url, ANNEAL_TOKEN: token });
    const shown = await remote('remote', 'synthesize', recipe, '--json');
    expect(shown.code === exitCodes.done, shown.stderr).toBe(code === exitCodes.done);
    if (code === exitCodes.done) expect(JSON.parse(shown.stdout)).toMatchObject({ rows: 12, output });
    expect(await remote('remote', 'validate', recipe)).toMatchObject({ code: exitCodes.done });
  }
  expect(endpoint.asked).toHaveLength(asked);
});

test('an agent follows no recipe that reads or writes elsewhere, asks another judge, or names a variable', async () => {
  const { endpoint, place, project, write, api } = await served();
  await api.endpoints.set.mutate({ name: 'stand-in', url: endpoint.url });
  const outside = join(place.workspace, '..', 'outside.md');
  writeFileSync(outside, 'What nobody here is to read.');
  symlinkSync(outside, join(project, 'link.md'));
  mkdirSync(join(project, '.hidden'));
  writeFileSync(join(project, '.hidden', 'notes.md'), 'Neither this.');
  symlinkSync(join(place.workspace, '..'), join(project, 'away'));
  const { url } = endpoint;
  for (const [keys, code] of [
    [{ sources: [{ path: outside }] }, 'source_outside'],
    [{ sources: [{ path: '../../outside.md' }] }, 'source_outside'],
    [{ sources: [{ path: 'link.md' }] }, 'source_outside'],
    [{ sources: [{ path: '.hidden/notes.md' }] }, 'source_outside'],
    [{ output: '../../rows.jsonl' }, 'output_outside'],
    [{ output: 'away/rows.jsonl' }, 'output_outside'],
    [{ output: 'runs/rows.jsonl' }, 'output_outside'],
    [{ output: 'a/b/c/d/rows.jsonl' }, 'output_outside'],
    [{ endpoint: { url, model: 'small', api_key_env: 'HOME' } }, 'api_key_of_agent'],
    [{ judge: { url: 'http://169.254.169.254/v1' } }, 'endpoint_not_configured'],
    [{ endpoint: { url: `${url}/../other`, model: 'small' } }, 'endpoint_not_configured'],
  ] as const) {
    write(keys);
    expect(await made(api), JSON.stringify(keys)).toMatchObject(failed(code));
  }
  expect(endpoint.asked).toHaveLength(0);
  expect(existsSync(join(place.workspace, '..', 'rows.jsonl'))).toBe(false);
});

test('the text of a recipe is written by who has seen what stands there, and is one that makes rows', async () => {
  const { place, api } = await served();
  const { text } = await api.synthesis.text.query({ recipe });
  const save = (request: { recipe: string; text: string; before: string | null }) =>
    api.synthesis.save.mutate(request).then(
      () => 'saved',
      (error: { data: { error: { code: string } } }) => error.data.error.code,
    );
  expect(await save({ recipe, text: `${text}\n`, before: text })).toBe('saved');
  expect(readFileSync(join(place.workspace, recipe), 'utf8')).toBe(`${text}\n`);
  expect(await save({ recipe, text, before: text })).toBe('recipe_changed');
  expect(await save({ recipe, text, before: null })).toBe('recipe_changed');
  expect(await save({ recipe, text: 'base_model: x\n', before: `${text}\n` })).toBe('not_of_synthesis');
  expect(await save({ recipe: 'team/new.yaml', text, before: null })).toBe('saved');
  expect((await api.synthesis.list.query()).map(({ key: listed }) => listed).sort()).toEqual([recipe, 'team/new.yaml']);
  expect(await save({ recipe: '../out.yaml', text, before: null })).toBe('folder_outside');
  expect(await save({ recipe: 'team/.new.yaml', text, before: null })).toBe('recipe_name');
  expect(await save({ recipe: 'team/new.txt', text, before: null })).toBe('recipe_name');
});

test('a job that is cancelled keeps what was answered, and the next one goes on', async () => {
  let hold = true;
  const { endpoint, api } = await served(() => hold && endpoint.asked.length > 4);
  await api.endpoints.set.mutate({ name: 'stand-in', url: endpoint.url });
  const { job } = await api.synthesis.start.mutate({ recipe });
  await vi.waitFor(() => expect(endpoint.asked.length).toBeGreaterThan(4), 30_000);
  await api.jobs.cancel.mutate({ job });
  expect((await ended(api, job)).state).toBe('cancelled');
  const answered = endpoint.answered.size;
  expect(answered).toBe(4);
  hold = false;
  expect(await made(api)).toMatchObject({ state: 'finished', result: { rows: 12, answered: 6 } });
  expect([...endpoint.answered.values()]).toEqual([1, 1, 1, 1, 1, 1]);
});

test("an agent's own API is asked with a token that ends with the job", async () => {
  const { place, project, write, daemon, api } = await served();
  await beginProject({}, { folder: join(place.workspace, 'harbor') });
  writeFileSync(join(project, 'asked.jsonl'), '{"messages": [{"role": "user", "content": "Who are you?"}]}\n');
  write({
    endpoint: { url: `${daemon.url}/v1`, model: 'harbor/model', max_tokens: 200 },
    task: 'answer',
    sources: [{ path: 'asked.jsonl' }],
  });
  expect(await made(api)).toMatchObject({ state: 'finished', result: { rows: 1 } });
  expect(new ApiTokens(new AgentState(place.workspace).folder).list()).toEqual([]);
});

test('a recipe is checked as it is written, one that is not there yet, too, and nothing is made of it', async () => {
  const { place, api, endpoint } = await served();
  const check = (text: string, of = recipe) => api.synthesis.check.query({ recipe: of, text });
  const good = `endpoint: {url: ${endpoint.url}, model: m}\nsources: [{path: docs}]\noutput: rows.jsonl\n`;
  expect(await check(good)).toMatchObject({ problems: [], values: { pairs_per_chunk: 3 } });
  const wrong = await check(good.replace('sources', 'source'));
  expect(wrong.problems).toContainEqual(expect.objectContaining({ code: 'unknown_key', line: 2, fix: 'sources' }));
  const elsewhere = await check(good, 'new/questions.yaml');
  expect(elsewhere.problems).toMatchObject([{ path: ['sources', 0, 'path'], line: 2 }]);
  expect(existsSync(join(place.workspace, 'new'))).toBe(false);
  expect((await check('base_model: m')).problems).toMatchObject([{ code: 'recipe_of_another_kind' }]);
  await expect(check(good, '../questions.yaml')).rejects.toMatchObject({ data: { error: { code: 'folder_outside' } } });
});
