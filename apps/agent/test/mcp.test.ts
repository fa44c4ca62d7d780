/** `anneal mcp`, asked by the protocol's own client. */
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { CallToolResult, Progress } from '@modelcontextprotocol/sdk/types.js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import type { Daemon } from '../src/daemon/daemon.ts';
import { tools } from '../src/mcp/tools.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { annealPath, env, temporaryFolder } from './helpers/anneal.ts';
import { makePlace, type Place, start } from './helpers/daemon.ts';

const brief = ['max_steps=6', 'logging_steps=1', 'sample_prompts=[]', 'val_set_size=0'];
const recipe = 'harbor/recipe.yaml';

async function served(): Promise<{ place: Place; daemon: Daemon }> {
  const place = makePlace();
  await beginProject({}, { folder: join(place.workspace, 'harbor') });
  return { place, daemon: await start(place) };
}

async function clientOf({ place, daemon }: { place: Place; daemon: Daemon }, role: 'viewer' | 'editor' | 'operator') {
  const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('assistant', role);
  const given = Object.fromEntries(Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined));
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [annealPath, 'mcp'],
      cwd: temporaryFolder(),
      env: { ...given, ANNEAL_HOST: daemon.url, ANNEAL_TOKEN: token },
      stderr: 'ignore',
    }),
  );
  onTestFinished(() => client.close());
  const call = async (name: string, input = {}, options = {}) => {
    const { content, isError } = (await client.callTool(
      { name, arguments: input },
      undefined,
      options,
    )) as CallToolResult;
    const [said] = content;
    const told = JSON.parse(said?.type === 'text' ? said.text : '');
    return isError ? { failed: told.error.code } : told;
  };
  return { client, call };
}

test('a token is offered what its role may, described by the schemas of the requests', async () => {
  const agent = await served();
  const { client, call } = await clientOf(agent, 'viewer');
  const offered = (await client.listTools()).tools;
  expect(offered.map(({ name }) => name)).toEqual(
    tools.filter(({ role }) => role === 'viewer').map(({ name }) => name),
  );
  expect(offered.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
  const estimate = offered.find(({ name }) => name === 'recipes_estimate');
  expect(estimate?.inputSchema).toMatchObject({
    type: 'object',
    required: ['recipe'],
    properties: { recipe: { type: 'string', minLength: 1 }, set: { type: 'array' } },
  });
  await expect(client.callTool({ name: 'train', arguments: { recipe } })).rejects.toThrow(
    'no tool train for the role viewer',
  );
  expect(await call('recipes_list')).toMatchObject([{ key: recipe }]);
  expect(await call('recipes_estimate', { recipe })).toMatchObject({ memory: {}, steps: {} });
  expect(await call('recipes_validate', { recipe, set: ['lora_rr=8'] })).toEqual({ failed: 'unknown_key' });
  expect(await call('runs_show', { run: 'nothing' })).toEqual({ failed: 'run_not_found' });
  expect(await call('data_rows', { source: recipe, first: 0 })).toEqual({ failed: 'bad_request' });
  expect(await call('data_rows', { source: recipe, first: 2, count: 2 })).toMatchObject([
    { source: { row: 2 }, verdict: { kind: 'kept' } },
    { source: { row: 3 } },
  ]);
});

test('an operator trains with progress, talks to the result, exports it, and a cancel stops a run with a checkpoint', async () => {
  const agent = await served();
  const { call, client } = await clientOf(agent, 'operator');
  expect((await client.listTools()).tools).toHaveLength(tools.length);
  const seen: Progress[] = [];
  const onprogress = (progress: Progress) => seen.push(progress);
  const options = { onprogress, timeout: 60_000, resetTimeoutOnProgress: true };
  const run = await call('train', { recipe, set: brief, wait: true }, options);
  expect(run).toMatchObject({ state: 'finished', step: 6 });
  expect(seen.at(-1)).toMatchObject({ progress: 6, total: 6 });
  const { rows } = await call('runs_batch', { run: 'latest', step: 1 });
  expect(rows[0]).toMatchObject({ loss: expect.any(Number) });
  expect(rows.map(({ loss }: { loss: number }) => loss)).toEqual(
    rows.map(({ loss }: { loss: number }) => loss).toSorted((a: number, b: number) => b - a),
  );
  const messages = [{ role: 'user', content: 'Who are you?' }];
  const answer = await call('chat', { source: 'latest', messages, temperature: 0, maxTokens: 8 }, options);
  expect(answer).toMatchObject({ tokens: expect.any(Number), text: expect.any(String) });
  expect(await call('export', { source: run.key, lora: true }, options)).toMatchObject([{ form: 'lora' }]);
  expect(await call('exports_list', { run: 'latest' })).toMatchObject([{ form: 'lora' }]);
  expect(await call('export', { source: run.key, lora: true }, options)).toEqual({ failed: 'export_exists' });

  const cancel = new AbortController();
  const long = ['max_steps=100000', 'num_epochs=100000', 'val_set_size=0'];
  const stopAtStep = ({ progress }: Progress) => progress > 2 && cancel.abort();
  const training = call(
    'train',
    { recipe, name: 'long', set: long, wait: true },
    { onprogress: stopAtStep, signal: cancel.signal, timeout: 60_000 },
  );
  await expect(training).rejects.toThrow('abort');
  await vi.waitFor(
    async () => expect(await call('runs_show', { run: 'latest' })).toMatchObject({ state: 'stopped' }),
    30_000,
  );
  expect((await call('runs_show', { run: 'latest' })).checkpoints).toHaveLength(1);
});
