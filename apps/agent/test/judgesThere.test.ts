/** Judges of a run that an agent starts: whom it asks, and with which key. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { reply, standIn } from '../../../packages/core/src/synthesis/testing/endpointStandIn.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { client, makePlace, paired, said, start } from './helpers/daemon.ts';

const key = 'sk-of-judge-1234';
const recipe = 'harbor/grpo.yaml';
const refused = (code: string) => ({ data: { error: { code } } });

test('an agent has judges asked whom its admin has configured, with the key of that address', async () => {
  const endpoint = await standIn(undefined, (asked, response) => {
    reply(response, '{"score": 5}', asked);
    return true;
  });
  const place = makePlace();
  const project = join(place.workspace, 'harbor');
  await beginProject({}, { folder: project });
  const base = /^base_model:.*$/m.exec(readFileSync(join(project, 'recipe.yaml'), 'utf8'))?.[0];
  writeFileSync(join(project, 'prompts.jsonl'), '{"prompt": "a"}\n{"prompt": "b"}\n');
  const write = (more = '') =>
    writeFileSync(
      join(place.workspace, recipe),
      `${base}
rl: grpo
adapter: lora
trl:
  num_generations: 2
  max_completion_length: 4
  reward_funcs: [{type: judge, url: "${endpoint.url}", model: small${more}}]
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
}, 120_000);
