/** People, their roles, and what is recorded of what they do. */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Queue } from '@anneal/core/protocol/queue';
import { type Role, reaches, roles } from '@anneal/core/protocol/roles';
import type { TRPCClientError } from '@trpc/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Access } from '../src/daemon/auth/access.ts';
import { Audit } from '../src/daemon/auth/audit.ts';
import { type AppRouter, appRouter } from '../src/daemon/router/index.ts';
import { neededRoles } from '../src/daemon/router/roles.ts';
import { RunQueue } from '../src/service/queue/runQueue.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';
import { client, codeIn, cookieFor, invited, makePlace, paired, post, start } from './helpers/daemon.ts';

type Type = 'query' | 'mutation' | 'subscription';
// oxlint-disable-next-line no-underscore-dangle -- so tRPC calls it
const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, { _def: { type: Type } }>);
interface Asked {
  query(input: unknown): Promise<unknown>;
  mutate(input: unknown): Promise<unknown>;
  subscribe(input: unknown, listener: { onStarted(): void; onError(error: Error): void }): { unsubscribe(): void };
}

/** A subscription is answered when it has begun. */
async function answerOf(procedure: Asked, type: Type, input: unknown): Promise<unknown> {
  if (type !== 'subscription') return procedure[type === 'query' ? 'query' : 'mutate'](input);
  const begun = Promise.withResolvers<void>();
  const followed = procedure.subscribe(input, { onStarted: begun.resolve, onError: begun.reject });
  return begun.promise.finally(() => followed.unsubscribe());
}

const refused = (code: string) => ({ data: { error: { code } } });

test('every procedure has a role, and every role a procedure', () => {
  expect(Object.keys(neededRoles).sort()).toEqual(procedures.map(([path]) => path).sort());
});

test('what changes something needs more than looking, but for one’s own name and browsers', () => {
  const own = ['people.rename', 'people.endBrowsers', 'people.pairAnother'];
  const open = procedures
    .filter(([path, { _def }]) => _def.type === 'mutation' && neededRoles[path] === 'viewer')
    .map(([path]) => path);
  expect(open.sort()).toEqual(own.sort());
});

test('each role is refused what needs more, before anything is looked at', async () => {
  const daemon = await start(makePlace());
  const { api: admin } = client(daemon, await paired(daemon));
  for (const role of roles.slice(0, 3)) {
    const { api } = await invited(daemon, admin, role, role);
    for (const [path, { _def }] of procedures) {
      const [noun, verb] = path.split('.') as [string, string];
      const nouns = api as unknown as Record<string, Record<string, Asked>>;
      // An input that no procedure with one takes: who may ask is told that, who may not is told no more.
      const error = await answerOf(nouns[noun]?.[verb] as Asked, _def.type, 'nothing of the kind').then(
        () => undefined,
        (thrown: { data: { error: { code: string } | null } }) => thrown.data.error?.code,
      );
      expect([role, path, error === 'not_allowed']).toEqual([role, path, !reaches(role, neededRoles[path] as Role)]);
    }
  }
});

test('the first who pairs is the admin; others come by invitation, each once', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const { api } = client(daemon, await paired(daemon));
  expect(await api.people.me.query()).toMatchObject({ role: 'admin' });
  const { code, until } = await api.people.invite.mutate({ name: 'Ada', role: 'operator' });
  expect(Date.parse(until) - Date.now()).toBeGreaterThan(2 * 24 * 3600_000);
  await expect(api.people.invite.mutate({ name: ' ada ', role: 'viewer' })).rejects.toMatchObject(
    refused('name_taken'),
  );
  const ada = client(daemon, await cookieFor(daemon, code));
  expect(await ada.api.people.me.query()).toMatchObject({ name: 'Ada', role: 'operator' });
  expect((await post(daemon, '/api/pair', { code })).status).toBe(403);
  const another = await ada.api.people.pairAnother.mutate();
  const second = client(daemon, await cookieFor(daemon, another.code));
  expect(await second.api.people.me.query()).toMatchObject({ name: 'Ada' });
  expect(await second.api.people.browsers.query()).toMatchObject([
    { isThis: true, browser: 'Test/1' },
    { isThis: false },
  ]);
  expect(await api.people.list.query()).toMatchObject([
    { role: 'admin', browsers: 1, invited: null },
    { name: 'Ada', browsers: 2 },
  ]);
});

test('what is taken away is gone at once: roles, browsers, people', async () => {
  const daemon = await start(makePlace());
  const { api: admin } = client(daemon, await paired(daemon));
  const { api, sockets, cookie } = await invited(daemon, admin, 'Ada', 'operator');
  await api.queue.setConcurrency.mutate({ device: 'cpu', runs: 2 });
  const people = await admin.people.list.query();
  const [first, ada] = people.map(({ id }) => id) as [string, string];
  await admin.people.setRole.mutate({ person: ada, role: 'viewer' });
  const ask = () => api.queue.setConcurrency.mutate({ device: 'cpu', runs: 1 });
  // What is on its way when her socket is closed has no answer: the next one has.
  const answer = ask().catch((error: TRPCClientError<AppRouter>) => (error.data ? Promise.reject(error) : ask()));
  await expect(answer).rejects.toMatchObject(refused('not_allowed'));
  // Her socket is closed, and the next one knows her new role.
  await vi.waitFor(() => expect(sockets.length).toBeGreaterThan(1), 10_000);
  expect(await api.people.me.query()).toMatchObject({ role: 'viewer' });
  await expect(admin.people.setRole.mutate({ person: first, role: 'viewer' })).rejects.toMatchObject(
    refused('last_admin'),
  );
  await expect(admin.people.remove.mutate({ person: first })).rejects.toMatchObject(refused('last_admin'));
  await admin.people.remove.mutate({ person: ada });
  const session = await (await fetch(`${daemon.url}/api/session`, { headers: { cookie } })).json();
  expect(session).toEqual({ paired: false });
  // The same person, elsewhere: one browser ends the others.
  const again = await invited(daemon, admin, 'Ada', 'editor');
  const other = client(daemon, await cookieFor(daemon, (await again.api.people.pairAnother.mutate()).code));
  await other.api.people.endBrowsers.mutate({});
  expect(await other.api.people.browsers.query()).toHaveLength(1);
  await expect(
    fetch(`${daemon.url}/api/session`, { headers: { cookie: again.cookie } }).then((a) => a.json()),
  ).resolves.toEqual({ paired: false });
});

test('what somebody has asked is answered before their socket is closed for another role', async () => {
  const daemon = await start(makePlace());
  const { api: admin } = client(daemon, await paired(daemon));
  const { api, sockets, cookie } = await invited(daemon, admin, 'Ada', 'operator');
  const changed = Promise.withResolvers<Queue>();
  const held = vi.spyOn(RunQueue.prototype, 'setConcurrency').mockReturnValue(changed.promise);
  onTestFinished(() => void held.mockRestore());
  const answer = api.queue.setConcurrency.mutate({ device: 'cpu', runs: 2 });
  await vi.waitFor(() => expect(held).toHaveBeenCalled(), 10_000);
  const idle = client(daemon, cookie);
  await idle.api.people.me.query();
  const [, ada] = (await admin.people.list.query()).map(({ id }) => id) as [string, string];
  await admin.people.setRole.mutate({ person: ada, role: 'viewer' });
  // The agent has looked at all sockets: one with nothing to answer is closed.
  await vi.waitFor(() => expect(idle.sockets.length).toBeGreaterThan(1), 10_000);
  changed.resolve({ version: 1, concurrency: {}, waiting: [], refused: [] });
  await answer;
  await vi.waitFor(() => expect(sockets.length).toBeGreaterThan(1), 10_000);
});

test('who always waits for something is closed for another role all the same', async () => {
  const daemon = await start(makePlace());
  const { api: admin } = client(daemon, await paired(daemon));
  const { api, sockets } = await invited(daemon, admin, 'Ada', 'operator');
  const held = vi.spyOn(RunQueue.prototype, 'setConcurrency').mockReturnValue(new Promise(() => {}));
  onTestFinished(() => void held.mockRestore());
  api.queue.setConcurrency.mutate({ device: 'cpu', runs: 2 }).catch(() => undefined);
  await vi.waitFor(() => expect(held).toHaveBeenCalled(), 10_000);
  const [, ada] = (await admin.people.list.query()).map(({ id }) => id) as [string, string];
  await admin.people.setRole.mutate({ person: ada, role: 'viewer' });
  await vi.waitFor(() => expect(sockets.length).toBeGreaterThan(1), 60_000);
});

test('who did what is recorded, with the refusals, and only admins read it', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const { api: admin } = client(daemon, await paired(daemon));
  const { api, cookie } = await invited(daemon, admin, 'Ada', 'viewer');
  const { recipe } = await admin.recipes.begin.mutate();
  await admin.recipes.save.mutate({ recipe });
  await api.recipes.save.mutate({ recipe }).catch(() => undefined);
  await admin.recipes.start.mutate({ recipe, text: 'long '.repeat(1000) }).catch(() => undefined);
  await admin.queue.move.mutate({ run: 'none', place: 1 }).catch(() => undefined);
  await expect(api.audit.page.query({})).rejects.toMatchObject(refused('not_allowed'));
  await post(daemon, '/api/pair', { code: 'WRONG' });
  await post(daemon, '/api/signout', {}, { cookie });
  const anneal = annealIn(place.workspace, { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
  await anneal('pair', '--name', 'Grace', '--role', 'editor');
  const { entries, before } = await admin.audit.page.query({});
  const me = (await admin.people.me.query()).name;
  expect(before).toBeNull();
  expect(entries.map(({ name, action, outcome }) => [name, action, outcome])).toEqual([
    [null, 'anneal pair', 'done'],
    ['Ada', 'sign out', 'done'],
    [null, 'pair a browser', 'pairing_code_wrong'],
    [me, 'queue.move', 'run_not_queued'],
    [me, 'recipes.start', 'recipe_changed'],
    ['Ada', 'recipes.save', 'not_allowed'],
    [me, 'recipes.save', 'done'],
    [me, 'recipes.begin', 'done'],
    ['Ada', 'pair a browser', 'done'],
    [me, 'people.invite', 'done'],
    [me, 'pair a browser', 'done'],
  ]);
  expect(entries[4]?.input).toContain(recipe);
  expect(entries[4]?.input).toContain('… (5000)');
  for (const { input } of entries) expect(input.length).toBeLessThan(320);
});

test('the audit is read page by page, and a line that was cut off hides no other', () => {
  const folder = temporaryFolder();
  const audit = new Audit(folder, () => undefined);
  expect(audit.page()).toEqual({ entries: [], before: null });
  for (let index = 0; index < 1000; index++) {
    audit.record({ name: 'Ada', action: `do ${index}`, input: { text: 'ü'.repeat(40) }, outcome: 'done' });
    if (index === 500) appendFileSync(join(folder, 'audit.jsonl'), '{"time":"2026\n');
  }
  const actions: string[] = [];
  for (let before: number | undefined; ; ) {
    const page = audit.page(before);
    actions.push(...page.entries.map(({ action }) => action));
    if (page.before === null) break;
    before = page.before;
  }
  const all = Array.from({ length: 1000 }, (_, index) => `do ${999 - index}`);
  expect(actions).toEqual([...all.slice(0, 499), 'damaged line', ...all.slice(499)]);
});

test('nothing that opens the agent is kept as it is', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const cookie = await paired(daemon);
  const { api } = client(daemon, cookie);
  const { code } = await api.people.invite.mutate({ name: 'Ada', role: 'editor' });
  const { token } = await api.tokens.create.mutate({ name: 'scraper', scope: 'metrics' });
  const secrets = [cookie.split('=')[1] as string, code, token];
  const states = join(process.env.XDG_DATA_HOME as string, 'anneal', 'agents');
  for (const state of readdirSync(states)) {
    for (const file of readdirSync(join(states, state), { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const text = readFileSync(join(file.parentPath, file.name), 'utf8');
      for (const secret of secrets) expect([file.name, text.includes(secret)]).toEqual([file.name, false]);
    }
  }
});

test('the command line invites by name, and says what is wrong', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const anneal = annealIn(place.workspace, { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
  const { link } = JSON.parse((await anneal('pair', '--name', 'Ada', '--role', 'editor', '--json')).stdout);
  const { api } = client(daemon, await cookieFor(daemon, codeIn(link)));
  expect(await api.people.me.query()).toMatchObject({ name: 'Ada', role: 'editor' });
  expect((await anneal('pair', '--name', 'ada')).stdout).toContain('It lets ada in');
  expect((await anneal('pair', '--name', 'Ada', '--role', 'admin')).stderr).toContain('is known already, as editor');
  expect((await anneal('pair', '--role', 'admin')).stderr).toContain('--role is given without --name');
  expect((await anneal('pair', '--name', ' ')).code).toBe(2);
});

test('a file of people that is damaged is said, and one of before there were people lets nobody in', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'access.json');
  writeFileSync(path, '{"codes":[],"sessions":[{"hash":"ab","until":9999999999999}]}');
  const access = new Access(folder);
  expect(access.personOf('ab')).toBe(undefined);
  expect(await access.pair(await access.newCode())).toMatch(/^[\w-]{43}$/);
  writeFileSync(path, '{"codes":');
  expect(() => access.personOf('ab')).toThrow(/damaged/);
  expect(existsSync(`${path}.lock`)).toBe(false);
});
