/** Notes and tags: kept in the run, the same here, by remote and in the studio. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { AgentState } from '../src/daemon/agentState.ts';
import { ApiTokens } from '../src/daemon/auth/apiTokens.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { tagRun } from '../src/service/runs/remark.ts';
import { annealIn } from './helpers/anneal.ts';
import { client, makePlace, type Place, paired, start, writeRun } from './helpers/daemon.ts';

const runsIn =
  ({ workspace }: Place) =>
  (...args: string[]) =>
    annealIn(join(workspace, 'project'))('runs', ...args);

test('what is written on the command line is in the studio, and the other way round', async () => {
  const place = makePlace();
  const run = await writeRun(place);
  await writeRun(place, 'other');
  const runs = runsIn(place);
  expect((await runs('note', run.id)).stdout).toBe(`${run.id} has no note\n`);
  expect((await runs('tag', run.id, 'second', 'baseline')).stdout).toBe('baseline second\n');
  expect((await runs('note', run.id, ' longer warm-up ')).stdout).toMatch(/^longer warm-up\n\(/);

  const daemon = await start(place);
  const { api } = client(daemon, await paired(daemon));
  const named = { run: `project/runs/${run.id}` };
  expect(await api.runs.get.query(named)).toMatchObject({
    tags: ['baseline', 'second'],
    note: { text: 'longer warm-up' },
  });
  const seen: string[] = [];
  const list = api.runs.list.subscribe(undefined, {
    onData: (change) => seen.push(...change.runs.map(({ id, tags }) => `${id} ${tags.join()}`)),
  });
  await api.runs.tag.mutate({ ...named, add: ['third'], remove: ['second'] });
  await vi.waitFor(() => expect(seen).toContain(`${run.id} baseline,third`), 10_000);
  list.unsubscribe();
  await api.runs.note.mutate({ ...named, text: '' });
  const listed = await runs('ls', '--tag', 'third', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject([{ id: run.id, tags: ['baseline', 'third'], note: null }]);
  expect((await runs('ls', '--tag', 'none')).stdout).toBe('no runs with the tag none in runs\n');
});

test('editors write by remote, viewers do not; a tag is a word', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const run = await writeRun(place);
  const remote = async (role: 'viewer' | 'editor') => {
    const { token } = await new ApiTokens(new AgentState(place.workspace).folder).create('laptop', role);
    const anneal = annealIn(place.workspace, { ANNEAL_HOST: daemon.url, ANNEAL_TOKEN: token });
    return (...args: string[]) => anneal('remote', 'runs', ...args);
  };
  expect((await (await remote('viewer'))('tag', run.id, 'mine')).stderr).toContain('this needs the role editor');
  expect((await (await remote('editor'))('tag', run.id, 'mine')).stdout).toBe('mine\n');
  expect((await (await remote('editor'))('note', run.id, 'seen')).stdout).toMatch(/^seen\n\(token laptop, /);
  const { code, stderr } = await runsIn(place)('tag', run.id, 'two words');
  expect([code, stderr]).toEqual([exitCodes.badInput, expect.stringContaining('a tag is a word')]);
});

test('changes at the same time are all kept; there are at most 20 tags', async () => {
  const place = makePlace();
  const run = await writeRun(place);
  const tags = Array.from({ length: 20 }, (_, at) => `tag-${at + 10}`);
  await Promise.all(tags.map((tag) => tagRun({}, { run: run.path, add: [tag] })));
  expect((await tagRun({}, { run: run.path })).tags).toEqual(tags);
  await expect(tagRun({}, { run: run.path, add: ['more'] })).rejects.toMatchObject({ code: 'too_many_tags' });
});

test('remarks that are damaged hide no other run, on the command line either', async () => {
  const place = makePlace();
  const run = await writeRun(place);
  const other = await writeRun(place, 'other');
  writeFileSync(join(run.path, 'remarks.json'), 'nothing');
  const { stdout, stderr } = await runsIn(place)('ls');
  expect(stdout).toMatch(new RegExp(`${run.id} +damaged`));
  expect(stdout).toContain(other.id);
  expect(stderr).toContain('what people have said of this run cannot be read');
});
