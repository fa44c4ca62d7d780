/** Judges of a run that an agent starts: whom it asks, and with which key. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { apiKeyOf, LENT_KEYS } from '@anneal/core/synthesis/apiKey';
import type { EndpointOptions } from '@anneal/core/synthesis/options';
import { expect, onTestFinished, test, vi } from 'vitest';
import { reply, standIn } from '../../../packages/core/src/synthesis/testing/endpointStandIn.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { createRun } from '../src/service/runs/create.ts';
import { client, makePlace, paired, said, start } from './helpers/daemon.ts';

const key = 'sk-of-judge-1234';
const recipe = 'harbor/grpo.yaml';
const refused = (code: string) => ({ data: { error: { code } } });

const judge = () =>
  standIn(undefined, (asked, response) => {
    reply(response, '{"score": 5}', asked);
    return true;
  });

test('an agent has judges asked whom its admin has configured, with the key of that address', async () => {
  const [endpoint, elsewhere] = [await judge(), await judge()];
  const place = makePlace();
  const project = join(place.workspace, 'harbor');
  await beginProject({}, { folder: project });
  const base = /^base_model:.*$/m.exec(readFileSync(join(project, 'recipe.yaml'), 'utf8'))?.[0];
  writeFileSync(join(project, 'prompts.jsonl'), '{"prompt": "a"}\n{"prompt": "b"}\n');
  const write = (more = '', url = endpoint.url) =>
    writeFileSync(
      join(place.workspace, recipe),
      `${base}
rl: grpo
adapter: lora
trl:
  num_generations: 2
  max_completion_length: 4
  reward_funcs: [{type: judge, url: "${url}", model: small${more}}]
datasets: [{path: prompts.jsonl}]
sequence_len: 128
micro_batch_size: 2
gradient_accumulation_steps: 1
max_steps: 1
`,
    );
  write();
  const daemon = await start(place);
  const { api } = client(daemon, await paired(daemon));
  await expect(api.recipes.start.mutate({ recipe })).rejects.toMatchObject(refused('endpoint_not_configured'));
  await api.endpoints.set.mutate({ name: 'judge', url: endpoint.url, secret: key });
  write(', api_key_env: HOME');
  await expect(api.recipes.start.mutate({ recipe })).rejects.toMatchObject(refused('api_key_of_agent'));
  expect(existsSync(join(project, 'runs'))).toBe(false);
  write();
  const started = await api.recipes.start.mutate({ recipe });
  await vi.waitFor(async () => expect((await api.runs.get.query(started)).state).toBe('finished'), 60_000);
  expect(endpoint.asked.length).toBeGreaterThan(0);
  expect(new Set(endpoint.headers.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${key}`]));
  for (const file of ['recipe.resolved.yaml', 'events.jsonl', 'run.log', 'judgements.jsonl']) {
    expect(readFileSync(join(place.workspace, started.run, file), 'utf8')).not.toContain(key);
  }
  expect(said.join('\n')).not.toContain(key);

  // An address that is gone meanwhile, and a run from elsewhere: each launch looks anew.
  const before = endpoint.asked.length;
  const refusalOf = async (run: string, set: string[] = []) => {
    await api.runs.resume.mutate({ run, set, priority: 'normal' });
    return vi.waitFor(async () => {
      const { refusal } = await api.runs.get.query({ run });
      if (!refusal) throw new Error('nothing is refused yet');
      return refusal.code;
    }, 60_000);
  };
  await api.endpoints.remove.mutate({ name: 'judge' });
  expect(await refusalOf(started.run, ['max_steps=2'])).toBe('endpoint_not_configured');
  expect(endpoint.asked).toHaveLength(before);
  expect((await api.runs.get.query(started)).state).toBe('finished');
  write(', api_key_env: HOME', elsewhere.url);
  const { path } = await createRun({}, { recipe: join(place.workspace, recipe), set: [] });
  const brought = relative(place.workspace, path);
  await api.endpoints.set.mutate({ name: 'elsewhere', url: elsewhere.url });
  expect(await refusalOf(brought)).toBe('api_key_of_agent');
  expect((await api.runs.get.query({ run: brought })).state).toBe('created');
  expect(elsewhere.asked).toEqual([]);
});

test('a run asks nobody but whom the agent has lent it, whatever its recipe has become', () => {
  const endpoint = { url: 'http://127.0.0.1:1/v1', apiKeyVariable: null } as EndpointOptions;
  vi.stubEnv(LENT_KEYS, JSON.stringify({ [endpoint.url]: key, 'http://127.0.0.1:2/v1': null }));
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(apiKeyOf(endpoint)).toBe(key);
  expect(apiKeyOf({ ...endpoint, url: 'http://127.0.0.1:2/v1' })).toBe(null);
  const notLent = expect.objectContaining({ code: 'endpoint_not_lent' });
  for (const other of [{ url: 'http://127.0.0.1:3/v1' }, { url: 'toString' }, { apiKeyVariable: 'HOME' }]) {
    expect(() => apiKeyOf({ ...endpoint, ...other })).toThrow(notLent);
  }
});
