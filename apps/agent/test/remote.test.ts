/** `anneal remote`: the verbs of the command line, done by an agent elsewhere. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '@anneal/core/protocol/events';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { expect, onTestFinished, test, vi } from 'vitest';
import { refusedVerbs, remoteVerbs } from '../src/commands/remoteVerbs.ts';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import { type Daemon, startDaemon } from '../src/daemon/daemon.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { remoteAddress } from '../src/remote/address.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { verbs } from '../src/verbs.ts';
import { annealIn, type Ended, temporaryFolder } from './helpers/anneal.ts';
import { makeCertificate } from './helpers/certificate.ts';
import { client, makePlace, type Place, paired, start, upgradeStatus } from './helpers/daemon.ts';
import { trainedRun } from './helpers/trainedRun.ts';

const brief = ['max_steps=6', 'logging_steps=1', 'sample_prompts=[]', 'val_set_size=0'];
const sets = brief.flatMap((one) => ['--set', one]);

async function tokenFor(place: Place, scope: 'viewer' | 'editor' | 'operator' | 'chat'): Promise<string> {
  const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('laptop', scope);
  return token;
}

/** `anneal remote`, asking this agent. */
function remoteOf(daemon: Daemon, token: string, cwd = temporaryFolder()): (...args: string[]) => Promise<Ended> {
  const anneal = annealIn(cwd, { ANNEAL_HOST: daemon.url, ANNEAL_TOKEN: token });
  return (...args) => anneal('remote', ...args);
}

async function served(): Promise<{ place: Place; daemon: Daemon; token: string; recipe: string }> {
  const place = makePlace();
  await beginProject({}, { folder: join(place.workspace, 'harbor') });
  return { place, daemon: await start(place), token: await tokenFor(place, 'operator'), recipe: 'harbor/recipe.yaml' };
}

const lossesOf = (run: string) =>
  [...readEvents(join(run, 'events.jsonl'))]
    .filter((event): event is Extract<RunEvent, { type: 'step' }> => event.type === 'step')
    .map(({ loss }) => loss);
const weights = (folder: string) => readFileSync(join(folder, 'adapter_model.safetensors'));

/** What a command that went well has printed. */
async function json(ended: Promise<Ended>) {
  const { code, stdout, stderr } = await ended;
  expect([code, stderr]).toEqual([exitCodes.done, '']);
  return JSON.parse(stdout);
}

/** Why such an address is refused. */
function codeOf(options: object, env = {}): string | undefined {
  try {
    remoteAddress(options, env);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}
const weightsOf = (run: string) =>
  createHash('sha256')
    .update(readFileSync(join(run, 'checkpoints', 'checkpoint-6', 'adapter_model.safetensors')))
    .digest('hex');

test('a recipe gives the same bits, started here, in the studio and by remote', async () => {
  const { place, daemon, token, recipe } = await served();
  const project = join(place.workspace, 'harbor');
  const local = await annealIn(project)('train', 'recipe.yaml', '--json', ...sets);
  const localRun = join(project, 'runs', JSON.parse(local.stdout.slice(0, local.stdout.indexOf('\n'))).id);
  const { api } = client(daemon, await paired(daemon));
  const studio = await api.recipes.start.mutate({ recipe, set: brief });
  await vi.waitFor(async () => expect((await api.runs.get.query(studio)).state).toBe('finished'), 60_000);
  const ended = await remoteOf(daemon, token)('train', recipe, '--json', ...sets);
  expect([ended.code, ended.stderr]).toEqual([exitCodes.done, '']);
  const remoteRun = JSON.parse(ended.stdout.slice(0, ended.stdout.indexOf('\n'))).id;
  const runs = [localRun, join(place.workspace, studio.run), join(project, 'runs', remoteRun)];
  expect(new Set(runs).size).toBe(3);
  expect(lossesOf(localRun)).toHaveLength(6);
  for (const run of runs.slice(1)) {
    expect(lossesOf(run)).toEqual(lossesOf(localRun));
    expect(weightsOf(run)).toBe(weightsOf(localRun));
  }
});

/** A run that was trained, asked about on its machine and from another one. */
async function bothSides() {
  const place = makePlace();
  const path = await trainedRun(join(place.workspace, 'harbor'));
  const folder = temporaryFolder();
  const remote = remoteOf(await start(place), await tokenFor(place, 'operator'), folder);
  const here = annealIn(join(place.workspace, 'harbor'));
  return { place, path, folder, remote, here, key: path.slice(place.workspace.length + 1) };
}

test('verbs about runs answer as they do here', async () => {
  const { path, remote, here, key } = await bothSides();
  const [there] = await json(remote('runs', 'ls', '--json'));
  const [local] = await json(here('runs', 'ls', '--json'));
  expect(there).toEqual({ ...local, path: key });
  expect((await json(remote('runs', 'show', 'latest', '--json'))).lock).toEqual(
    (await json(here('runs', 'show', 'latest', '--json'))).lock,
  );
  expect((await remote('runs', 'logs', '--json')).stdout).toBe((await here('runs', 'logs', '--json')).stdout);
  // Here from the log, there from the index of the agent.
  const comparison = ['runs', 'compare', 'latest', 'latest', 'latest', '--json'];
  const compared = JSON.stringify(await json(here(...comparison))).replaceAll(path, key);
  expect(await json(remote(...comparison))).toEqual(JSON.parse(compared));
  const [doctorHere, doctorThere] = [here, remote].map(async (run) =>
    JSON.parse((await run('doctor', 'latest', '--json')).stdout),
  );
  expect(await doctorThere).toEqual({ ...(await doctorHere), path: key });
});

test('verbs about data and recipes answer as they do here', async () => {
  const { place, daemon, token } = await served();
  const remote = remoteOf(daemon, token);
  const here = annealIn(join(place.workspace, 'harbor'));
  const inspect = ['inspect', '--row', '3', '--json'];
  expect(await json(remote(...inspect, 'harbor/recipe.yaml'))).toEqual(await json(here(...inspect, 'recipe.yaml')));
  const batches = ['inspect', '--batches', '2', '--tokens', '--json'];
  const file = (text: string) => text.replaceAll(join(place.workspace, 'harbor'), 'harbor');
  expect(await json(remote(...batches, 'harbor/recipe.yaml'))).toEqual(
    JSON.parse(file(JSON.stringify(await json(here(...batches, 'recipe.yaml'))))),
  );
  const { fit: _, ...estimate } = await json(remote('estimate', 'harbor', '--json'));
  expect(await json(here('estimate', 'recipe.yaml', '--json'))).toMatchObject(estimate);
  for (const ignored of [
    ['inspect', 'harbor', '--set', 'sequence_len=8'],
    ['models', 'ls', '/srv/model'],
  ]) {
    const { stdout } = await remote(...ignored, '--json');
    expect([ignored[0], JSON.parse(stdout).error.code]).toEqual([ignored[0], 'not_remote']);
  }
});

test('a model answers as it does here, and what is exported there arrives whole', async () => {
  const { place, folder, remote, here, key } = await bothSides();
  const ask = ['--prompt', 'Who are you?', '--temperature', '0', '--json'];
  expect((await json(remote('chat', 'latest', ...ask))).text).toBe((await json(here('chat', 'latest', ...ask))).text);

  const [exported] = await json(remote('export', 'latest', '--lora', '--to', 'mine', '--json'));
  expect(exported).toMatchObject({ form: 'lora', key: `${key}/export/step-60/lora` });
  expect(weights(join(folder, 'mine', 'lora'))).toEqual(weights(join(place.workspace, exported.key)));
  expect(existsSync(join(folder, 'mine', 'lora', 'adapter_model.safetensors.part'))).toBe(false);
  const get = (to: string) => remote('exports', 'get', 'latest', exported.key, '--to', to, '--json');
  expect(JSON.parse((await get('mine')).stdout).error.code).toBe('file_exists');
  await json(get('other'));
  expect(weights(join(folder, 'other', 'lora'))).toEqual(weights(join(folder, 'mine', 'lora')));
  expect(await json(remote('exports', 'ls', '--json'))).toMatchObject([
    { form: 'lora', folder: `${key}/export/step-60` },
  ]);
});

// Parts of a long row once came without the turns of the parts before, and a pair without its rejected answer.
test('a row that comes in parts is whole: its turns, and both answers of a pair', async () => {
  const { place, daemon, token } = await served();
  const project = join(place.workspace, 'harbor');
  const prompt = [
    { role: 'user', content: 'Tell me. '.repeat(400) },
    { role: 'assistant', content: 'Of what?' },
    { role: 'user', content: 'Of the sea.' },
  ];
  const pair = { prompt, chosen: 'Aye, it is wide. '.repeat(400), rejected: 'No. '.repeat(900) };
  writeFileSync(join(project, 'pairs.jsonl'), `${JSON.stringify(pair)}\n`);
  const recipe = 'base_model: model\nrl: dpo\nadapter: lora\nsequence_len: 16000\ndatasets: [{path: pairs.jsonl}]\n';
  writeFileSync(join(project, 'pairs.yaml'), recipe);
  const inspect = ['--row', '1', '--json'];
  const known = await json(annealIn(project)('inspect', 'pairs.yaml', ...inspect));
  expect(await json(remoteOf(daemon, token)('inspect', 'harbor/pairs.yaml', ...inspect))).toEqual(known);
  const [{ turns, tokenCount, rejected }] = known.rows;
  expect(turns).toHaveLength(4);
  expect(Math.min(tokenCount, rejected.tokenCount)).toBeGreaterThan(2000);
});

test('the rows of a step and the losses of their tokens are those that are told here', async () => {
  const place = makePlace();
  const run = await trainedRun(join(place.workspace, 'harbor'));
  const remote = remoteOf(await start(place), await tokenFor(place, 'editor'));
  const here = annealIn(run);
  const [told, known] = [
    await json(remote('runs', 'batch', 'latest', '3', '--json')),
    await json(here('runs', 'batch', run, '3', '--json')),
  ];
  expect(told.rows[0].file).toBe('harbor/data/harbour.jsonl');
  expect({ ...told, rows: told.rows.map(({ loss }: { loss: number }) => loss) }).toEqual({
    ...known,
    rows: known.rows.map(({ loss }: { loss: number }) => loss),
  });
  const row = ['3', '--row', '1', '--json'];
  const there = await remote('runs', 'batch', 'latest', ...row);
  expect(there.stdout).toBe((await here('runs', 'batch', run, ...row)).stdout);
});

test('a run waits, moves, begins, saves, stops and goes on there', async () => {
  const { daemon, token, recipe } = await served();
  const remote = remoteOf(daemon, token);
  await remote('queue', 'set', 'cpu', '0');
  const long = ['--set', 'max_steps=100000', '--set', 'num_epochs=100000', '--set', 'val_set_size=0'];
  const { run } = JSON.parse((await remote('train', recipe, '--detach', '--name', 'long', '--json', ...long)).stdout);
  const second = JSON.parse((await remote('train', recipe, '--queue', '--name', 'second', '--json')).stdout);
  expect(second).toMatchObject({ device: 'cpu', place: 2, of: 2 });
  expect((await remote('queue', 'move', 'second', '1')).stdout).toContain('at place 1');
  expect((await remote('queue', 'rm', 'second')).code).toBe(exitCodes.done);
  expect(JSON.parse((await remote('runs', 'ls', '--json')).stdout)[0]).toMatchObject({ state: 'queued', path: run });
  await remote('queue', 'set', 'cpu', '1');
  await vi.waitFor(async () => {
    const { state, step } = JSON.parse((await remote('runs', 'show', run, '--json')).stdout);
    expect([state, step > 2]).toEqual(['running', true]);
  }, 60_000);
  expect((await remote('runs', 'save', run)).code).toBe(exitCodes.done);
  const stopped = JSON.parse((await remote('runs', 'stop', run, '--json')).stdout);
  expect(stopped).toMatchObject({ state: 'stopped', path: run });
  const more = ['--set', `max_steps=${stopped.step + 2}`];
  const resumed = await remote('runs', 'resume', run, '--json', ...more);
  expect(resumed.code).toBe(exitCodes.done);
  expect(JSON.parse(resumed.stdout.trim().split('\n').at(-1) as string)).toMatchObject({
    type: 'finished',
    step: stopped.step + 2,
  });
  expect((await json(remote('runs', 'rm', 'second', '--json'))).removed).toMatchObject([{ path: second.run }]);
  expect(await json(remote('runs', 'restore', '--json'))).toMatchObject([{ path: second.run }]);
  const { items } = await json(remote('storage', 'ls', '--json'));
  expect(items).toContainEqual(expect.objectContaining({ kind: 'trash' }));
  const id = second.run.split('/').at(-1);
  expect((await json(remote('runs', 'restore', id, '--json'))).restored).toMatchObject([{ path: second.run }]);
  expect((await json(remote('storage', 'clean', 'checkpoints', '--yes', '--json'))).kept).toEqual([]);
});

test('what a token may do is what its role may; one without a role, and one that was revoked, open no socket', async () => {
  const { place, daemon, recipe } = await served();
  const viewer = remoteOf(daemon, await tokenFor(place, 'viewer'));
  expect((await viewer('validate', recipe)).code).toBe(exitCodes.done);
  const refused = await viewer('train', recipe, '--json');
  expect(JSON.parse(refused.stdout).error).toMatchObject({ code: 'not_allowed' });
  const status = (token: string) => upgradeStatus(daemon, '/trpc', { authorization: `Bearer ${token}` });
  expect(await status(await tokenFor(place, 'chat'))).toBe(401);
  expect(await status('anneal_nothing')).toBe(401);
  const tokens = new ApiTokens(new AgentState(place.workspace).folder);
  const { token, id } = await tokens.create('gone', 'operator');
  expect(await status(token)).toBe(101);
  await tokens.revoke(id);
  expect(await status(token)).toBe(401);
  const lost = await remoteOf(daemon, token)('runs', 'ls', '--json');
  expect(JSON.parse(lost.stdout).error).toMatchObject({ code: 'remote_refused' });
});

test('every verb is done by the agent, or refused with a reason', () => {
  const known = [...remoteVerbs, ...refusedVerbs].map(({ name }) => name);
  expect(known.sort()).toEqual(
    verbs
      .map(({ name }) => name)
      .filter((name) => name !== 'remote')
      .sort(),
  );
});

test.each([
  ['init', 'harbor'],
  ['eval', 'latest'],
  ['serve'],
  ['runs', 'ls', '--runs-dir', 'elsewhere'],
  ['train', 'recipe.yaml', '--dry-run'],
  ['pull', 'smollm2-135m', '--offline'],
])('what is about this machine is refused with the reason: %s %s', async (...args) => {
  const anneal = annealIn(temporaryFolder(), { ANNEAL_HOST: 'http://127.0.0.1:1', ANNEAL_TOKEN: 'x' });
  const { code, stdout } = await anneal('remote', ...args, '--json');
  expect([code, JSON.parse(stdout).error.code]).toEqual([exitCodes.badInput, 'not_remote']);
});

test('the token comes from a file that only its owner reads, or the environment; no address holds a secret', () => {
  const file = join(temporaryFolder(), 'token');
  writeFileSync(file, 'anneal_abc\n', { mode: 0o600 });
  const host = 'https://gpu.lab:7420';
  expect(remoteAddress({ host, tokenFile: file }, {})).toMatchObject({ token: 'anneal_abc' });
  expect(remoteAddress({}, { ANNEAL_HOST: host, ANNEAL_TOKEN: 't' })).toMatchObject({ token: 't' });
  chmodSync(file, 0o644);
  expect(codeOf({ host, tokenFile: file })).toBe('remote_token');
  expect(codeOf({ host })).toBe('remote_token');
  for (const wrong of [
    'https://ada:secret@gpu.lab',
    'https://gpu.lab?token=x',
    'http://gpu.lab:7420',
    'gpu.lab',
    'ftp://a',
  ]) {
    expect([wrong, codeOf({ host: wrong }, { ANNEAL_TOKEN: 't' })]).toEqual([wrong, 'remote_address']);
  }
  expect(codeOf({ host: 'http://localhost:7420' }, { ANNEAL_TOKEN: 't' })).toBeUndefined();
});

test('a certificate that nobody vouches for is explained, and accepted where it is named', async () => {
  const place = makePlace();
  const folder = temporaryFolder();
  const { key, cert } = makeCertificate(folder);
  const daemon = await startDaemon({
    address: {
      host: '127.0.0.1',
      port: 0,
      token: undefined,
      tls: { cert: readFileSync(cert), key: readFileSync(key) },
    },
    workspace: place.workspace,
    studioFolder: place.studio,
    allowedHosts: [],
    log: () => undefined,
  });
  onTestFinished(() => daemon.close());
  const url = daemon.url.replace('127.0.0.1', 'localhost');
  const anneal = annealIn(folder, { ANNEAL_HOST: url, ANNEAL_TOKEN: await tokenFor(place, 'viewer') });
  const listing = async (...args: string[]) => {
    const { code, stdout } = await anneal('remote', ...args, 'runs', 'ls', '--json');
    return code === 0 ? 'done' : JSON.parse(stdout).error.code;
  };
  expect(await listing()).toBe('remote_certificate');
  expect(await listing('--ca-file', cert)).toBe('done');
  expect(await listing('--ca-file', cert, '--host', daemon.url)).toBe('remote_certificate'); // another name
});
