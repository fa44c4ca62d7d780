/** Secrets of others: sealed on the disk, used, and told to nobody. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { AgentState } from '../src/daemon/agentState.ts';
import { SecretStore } from '../src/daemon/secrets/secretStore.ts';
import { annealPath, env, temporaryFolder } from './helpers/anneal.ts';
import { client, makePlace, paired, post, said, start } from './helpers/daemon.ts';

const secret = 'hf_abcdefghijklmnop9876';
const other = 'hf_qrstuvwxyzabcdef5432';

beforeEach(() => {
  vi.stubEnv('HF_TOKEN', undefined);
  return () => vi.unstubAllEnvs();
});

/** Everything that lies in a folder, as one text. */
const textIn = (folder: string) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

test('lie sealed in files that only this user can read, and are told by their ends', async () => {
  const folder = temporaryFolder();
  const store = new SecretStore(folder);
  expect(store.list()).toEqual([{ name: 'hf_token', from: null, ending: null, set: null, by: null }]);
  await store.set({ name: 'hf_token', secret: `${secret}\n` }, 'Ada');
  expect(store.list()).toMatchObject([{ from: 'kept', ending: '9876', by: 'Ada' }]);
  expect(store.open()).toEqual({ hf_token: secret });
  expect(textIn(folder)).not.toContain('abcdefgh');
  for (const name of ['secrets.json', 'secrets.key']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  await store.set({ name: 'hf_token', secret: other }, null);
  expect(new SecretStore(folder).open()).toEqual({ hf_token: other });
  vi.stubEnv('HF_TOKEN', secret);
  expect(store.list()).toMatchObject([{ from: 'environment', ending: '9876' }]);
  expect(store.open()).toEqual({ hf_token: secret });
  vi.stubEnv('HF_TOKEN', undefined);
  await store.remove('hf_token');
  expect(store.open()).toEqual({});
  await expect(store.remove('hf_token')).rejects.toThrow(expect.objectContaining({ code: 'secret_not_found' }));
  await expect(store.set({ name: 'hf_token', secret: 'hunter2' }, null)).rejects.toThrow(
    expect.objectContaining({ code: 'bad_request' }),
  );
});

test('that were tampered with, or whose key is gone or another one, are said to be damaged', async () => {
  const folder = temporaryFolder();
  const store = new SecretStore(folder);
  const path = join(folder, 'secrets.json');
  const key = join(folder, 'secrets.key');
  await store.set({ name: 'hf_token', secret }, null);
  const whole = readFileSync(path, 'utf8');
  const damaged = expect.objectContaining({ code: 'secrets_damaged' });
  const kept = JSON.parse(whole);
  const bytes = Buffer.from(kept.secrets.hf_token.sealed, 'base64');
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  kept.secrets.hf_token.sealed = bytes.toString('base64');
  for (const text of [JSON.stringify(kept), '{', whole.slice(0, -20)]) {
    writeFileSync(path, text);
    expect(() => store.open()).toThrow(damaged);
  }
  writeFileSync(path, whole);
  expect(store.open()).toEqual({ hf_token: secret });
  const right = readFileSync(key);
  for (const wrong of [Buffer.alloc(32), Buffer.alloc(3)]) {
    writeFileSync(key, wrong);
    expect(() => store.open()).toThrow(damaged);
  }
  rmSync(key);
  expect(() => store.open()).toThrow(damaged);
  writeFileSync(key, right);
  expect(store.open()).toEqual({ hf_token: secret });
});

test('are set and removed by admins; no answer, no log, no audit holds one', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const { api } = client(daemon, await paired(daemon));
  await api.secrets.set.mutate({ name: 'hf_token', secret });
  await expect(api.secrets.set.mutate({ name: 'hf_token', secret: 'hunter2hunter2' })).rejects.toThrow();
  expect(JSON.stringify(await api.secrets.list.query())).not.toContain('abcdefgh');
  const { code } = await api.people.invite.mutate({ name: 'Bo', role: 'operator' });
  const answer = await post(daemon, '/api/pair', { code });
  const operator = client(daemon, (answer.headers.get('set-cookie') as string).split(';')[0] as string).api;
  expect(await operator.secrets.list.query()).toMatchObject([{ from: 'kept', ending: '9876' }]);
  const refused = { data: { error: { code: 'not_allowed' } } };
  await expect(operator.secrets.set.mutate({ name: 'hf_token', secret: other })).rejects.toMatchObject(refused);
  await expect(operator.secrets.remove.mutate({ name: 'hf_token' })).rejects.toMatchObject(refused);
  const page = await api.audit.page.query({});
  expect(page.entries.filter(({ action }) => action === 'secrets.set')).toMatchObject([
    { name: 'Bo', input: '{"name":"hf_token","secret":"…"}', outcome: 'not_allowed' },
    { input: '{"name":"hf_token","secret":"…"}', outcome: 'bad_request' },
    { input: '{"name":"hf_token","secret":"…"}', outcome: 'done' },
  ]);
  await api.secrets.remove.mutate({ name: 'hf_token' });
  for (const text of [textIn(new AgentState(place.workspace).folder), said.join('\n')]) {
    for (const word of ['abcdefgh', 'qrstuvwx', 'hunter2']) expect(text).not.toContain(word);
  }
});

test('come from a pipe on the command line, and are used in the folder and below it', async () => {
  const { workspace } = makePlace();
  const folder = join(workspace, 'project', 'deep');
  mkdirSync(folder, { recursive: true });
  const extra = { ...env, XDG_DATA_HOME: process.env.XDG_DATA_HOME };
  const anneal = (args: string[], input = '') =>
    execFileSync(process.execPath, [annealPath, 'secrets', ...args], { cwd: workspace, input, env: extra }).toString();
  expect(anneal(['set', 'hf_token'], `${secret}\n`)).toBe('kept hf_token\n');
  expect(JSON.parse(anneal(['list', '--json']))).toMatchObject([{ name: 'hf_token', from: 'kept', ending: '9876' }]);
  expect(anneal(['list'])).toMatch(/hf_token +kept +…9876/);
  const { secretsFor } = await import('../src/commands/secretsHere.ts');
  expect(secretsFor(folder)).toEqual({ hf_token: secret });
  expect(secretsFor(join(workspace, '..'))).toEqual({});
  anneal(['remove', 'hf_token']);
  expect(secretsFor(folder)).toEqual({});
  expect(existsSync(join(workspace, 'secrets.json'))).toBe(false);
  expect(readFileSync(join(new AgentState(workspace).folder, 'audit.jsonl'), 'utf8')).not.toContain('abcdefgh');
});
