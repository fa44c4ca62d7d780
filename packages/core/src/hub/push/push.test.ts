/** A push against a stand-in of the hub: everything or nothing, nothing twice, the token nowhere else. */
import { createHash } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { UserError } from '../../errors.ts';
import type { PushProgress } from '../../protocol/push.ts';
import { PATIENCE } from '../boundedFetch.ts';
import { type HubStandIn, startHub } from '../testing/hubStandIn.ts';
import { type PushOptions, pushFiles } from './pushFiles.ts';
import { UploadRequests } from './uploadRequests.ts';

const NAME = 'you/harbor';
const weights = Buffer.from(Array.from({ length: 250_000 }, (_, i) => i % 251));

let folder: string;
let hub: HubStandIn;

beforeEach(async () => {
  folder = temporaryFolder('push');
  hub = await startHub('some/model', {});
  await writeFile(join(folder, 'weights'), weights);
  await writeFile(join(folder, 'small'), 'a'.repeat(5000));
  await writeFile(join(folder, 'config'), '{}');
});

afterEach(async () => {
  await hub.close();
});

const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');

const files = () =>
  ['weights', 'small', 'config'].map((name) => ({
    name: name === 'small' ? 'sub/small' : name,
    path: join(folder, name),
  }));

const isOfWeights = (url: string) => url.includes('part=');

function push(more: Partial<PushOptions> = {}, name = NAME) {
  return pushFiles(files(), name, {
    hubUrl: hub.url,
    token: hub.uploads.token,
    isPrivate: true,
    replace: false,
    title: 'harbor',
    card: (hashed) => `# harbor\n${hashed.map(({ path }) => path).join()}\n`,
    patience: PATIENCE,
    uploadPatience: { answerMilliseconds: 100_000, stallMilliseconds: 60_000, pausesMilliseconds: [1, 1] },
    ...more,
  });
}

/** The refusal; what is in the repository is as it was. */
async function refusal(more?: Partial<PushOptions>, name = NAME): Promise<UserError> {
  const before = new Map(hub.uploads.repositories.get(name)?.files);
  const error = await push(more, name).then(
    () => expect.unreachable('it should have failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(JSON.stringify(error)).not.toContain(hub.uploads.token);
  const after = hub.uploads.repositories.get(name)?.files;
  if (before.size > 0) expect(after).toEqual(before);
  else expect([...(after ?? new Map()).keys()].filter((path) => path !== '.gitattributes')).toEqual([]);
  return error as UserError;
}

test('makes a private repository with every file and the card, checked by hash', async () => {
  const told: PushProgress[] = [];
  const pushed = await push({ onProgress: (progress) => told.push(progress) });
  const repository = hub.uploads.repositories.get(NAME);
  expect(repository?.isPrivate).toBe(true);
  expect(Object.fromEntries(repository?.files ?? [])).toMatchObject({
    weights,
    'sub/small': Buffer.from('a'.repeat(5000)),
    config: Buffer.from('{}'),
    'README.md': Buffer.from('# harbor\nweights,sub/small,config\n'),
  });
  expect(pushed).toMatchObject({
    repository: NAME,
    url: `${hub.url}/${NAME}`,
    commit: repository?.commit,
    isPrivate: true,
  });
  expect(pushed.sent).toEqual(['weights', 'sub/small', 'config', 'README.md']);
  expect(told.map(({ phase }) => phase)).toEqual(
    told.map(({ phase }) => phase).toSorted((a, b) => order(a) - order(b)),
  );
  const uploading = told.filter(({ phase }) => phase === 'uploading');
  expect(uploading.length).toBeGreaterThan(2);
  expect(Math.max(...uploading.map(({ done }) => done))).toBe(255_000);
});

const order = (phase: PushProgress['phase']) => ['hashing', 'asking', 'uploading', 'committing'].indexOf(phase);

test('sends the token to the hub only, and never in an address', async () => {
  await push();
  expect(hub.uploads.puts.length).toBe(4);
  expect(hub.uploads.puts.every(({ authorization }) => authorization === undefined)).toBe(true);
  expect(hub.requests.some(({ url }) => url.includes('hf_'))).toBe(false);
});

test('again sends nothing; after a change, with leave, only what changed', async () => {
  const first = await push();
  hub.uploads.puts.length = 0;
  expect(await push()).toMatchObject({ sent: [], commit: first.commit });
  await writeFile(join(folder, 'small'), 'b'.repeat(6000));
  expect(await refusal()).toMatchObject({ code: 'repository_taken', what: expect.stringContaining('sub/small') });
  expect((await push({ replace: true })).sent).toEqual(['sub/small']);
  expect(hub.uploads.puts.length).toBe(1);
});

test('that broke off goes on with the files that are missing', async () => {
  let breaks = true;
  hub.uploads.onPut = async ({ url }) => {
    if (!isOfWeights(url)) return;
    await vi.waitUntil(() => hub.uploads.store.size === 1, { timeout: 30_000 });
    if (breaks) hub.uploads.broken = 1;
  };
  expect(await refusal()).toMatchObject({ code: 'push_broken_off' });
  expect([...hub.uploads.store.keys()]).toEqual([sha256('a'.repeat(5000))]);
  breaks = false;
  const seen = hub.uploads.puts.length;
  await push();
  // Not their number: one that broke off may reach the stand-in late.
  const again = hub.uploads.puts.slice(seen).map(({ url }) => url);
  expect(again.every(isOfWeights)).toBe(true);
  expect(new Set(again).size).toBe(3);
  expect(hub.uploads.repositories.get(NAME)?.files.get('weights')).toEqual(weights);
});

test('is over only when none of its requests is under way', async () => {
  const answers: PromiseWithResolvers<Response>[] = [];
  const requests = new UploadRequests(() => {
    answers.push(Promise.withResolvers());
    return answers.at(-1)?.promise as Promise<Response>;
  });
  void requests.fetch('http://127.0.0.1/a');
  void requests.fetch('http://127.0.0.1/b');
  answers[0]?.reject(new Error('broken'));
  await expect(requests.orFailure(new Promise(() => undefined))).rejects.toThrow('broken');
  let isOver = false;
  const over = requests.end().then(() => {
    isOver = true;
  });
  await delay(0);
  expect(isOver).toBe(false);
  answers[1]?.resolve(new Response());
  await over;
});

test('sends a part again that broke off or met an error of the store', async () => {
  Object.assign(hub.uploads, { broken: 1, failing: 1 });
  await push();
  expect(hub.uploads.repositories.get(NAME)?.files.get('weights')).toEqual(weights);
  expect(hub.uploads.puts.length).toBe(6);
});

test('that is cancelled leaves the repository as it was', async () => {
  const given = new AbortController();
  hub.uploads.onPut = () => given.abort(new Error('enough'));
  await expect(push({ signal: given.signal })).rejects.toThrow('enough');
  expect([...(hub.uploads.repositories.get(NAME)?.files.keys() ?? [])]).toEqual(['.gitattributes']);
});

describe('is refused', () => {
  test('a token that is none, is not known, or may only read', async () => {
    expect(await refusal({ token: 'secret' })).toMatchObject({ code: 'hub_token_malformed' });
    expect(await refusal({ token: 'hf_another0123456' })).toMatchObject({ code: 'hub_token_refused' });
    hub.uploads.role = 'read';
    expect(await refusal()).toMatchObject({ code: 'hub_token_reads_only' });
  });

  test('a name that is none, or belongs to somebody else', async () => {
    for (const name of ['harbor', 'you/../other', 'you/a/b', 'you/harbor.git', 'you/har--bor', 'you/har%2Fbor']) {
      expect(await refusal({}, name)).toMatchObject({ code: 'bad_repository_name' });
    }
    expect(hub.requests.length).toBe(0);
    expect(await refusal({}, 'others/harbor')).toMatchObject({ code: 'push_not_allowed' });
  });

  test('a repository that everybody sees, or nobody, where the other was meant', async () => {
    hub.uploads.repository(NAME, false);
    expect(await refusal()).toMatchObject({ code: 'repository_public' });
    hub.uploads.repository(NAME, true);
    expect(await refusal({ isPrivate: false })).toMatchObject({ code: 'repository_private' });
  });

  test('a repository that holds something else; with leave the others stay', async () => {
    const { files: there } = hub.uploads.repository(NAME, true, { 'model.bin': 'x', 'README.md': '# other' });
    expect((await refusal()).what).toContain('other contents of README.md; model.bin');
    await push({ replace: true });
    expect(there.get('model.bin')?.toString()).toBe('x');
    expect(there.get('README.md')?.toString()).toContain('# harbor');
  });

  test('where the hub has no room', async () => {
    hub.uploads.isFull = true;
    expect(await refusal()).toMatchObject({
      code: 'hub_quota',
      what: expect.stringContaining('storage limit reached'),
    });
  });

  test('a file that the hub refuses in its answer for many', async () => {
    const card = '# card'.repeat(500);
    for (const refused of [card, 'a'.repeat(5000), weights]) {
      hub.uploads.refused.clear();
      hub.uploads.refused.add(sha256(refused));
      expect(await refusal({ card: () => card })).toMatchObject({
        code: 'hub_quota',
        what: expect.stringContaining('too large'),
      });
    }
  });

  test('a file that changes, grows or is cut meanwhile', async () => {
    hub.uploads.onPut = () => writeFile(join(folder, 'config'), '{"a":1}');
    expect(await refusal()).toMatchObject({ code: 'pushed_file_changed', where: join(folder, 'config') });
    hub.uploads.store.clear();
    hub.uploads.onPut = () => truncate(join(folder, 'weights'), 200_000);
    expect((await refusal()).code).toMatch(/pushed_file_changed|push_broken_off/);
  });

  test('a repository that somebody else changes meanwhile', async () => {
    const repository = hub.uploads.repository(NAME, true);
    hub.uploads.onPut = () => {
      repository.commit = '2'.repeat(40);
    };
    expect(await refusal()).toMatchObject({ code: 'repository_changed' });
  });

  test('where nobody answers', async () => {
    expect(await refusal({ hubUrl: 'http://127.0.0.1:9' })).toMatchObject({ code: 'push_broken_off' });
  });

  test('a store that is named without TLS by a hub with it, or that would be told the token', async () => {
    const { uploadFetch } = await import('./uploadFetch.ts');
    const uploading = { hubUrl: 'https://hub.example', signal: undefined, onSent: () => undefined };
    const patience = { answerMilliseconds: 1000, stallMilliseconds: 1000, pausesMilliseconds: [] };
    const ask = uploadFetch({ ...uploading, patience });
    await expect(ask('http://store.example/x', { method: 'PUT', body: 'a' })).rejects.toThrow(/without TLS/);
    const headers = { Authorization: `Bearer ${hub.uploads.token}` };
    await expect(ask('https://store.example/x', { headers })).rejects.toThrow(/asks for the token/);
  });
});
