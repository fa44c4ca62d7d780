/** Rows edited by the agent: a new version of the file, who made it, and the recipe that follows. */
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobOf } from '@anneal/core/protocol/jobs';
import { beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { AgentState } from '../src/daemon/agentState.ts';
import type { Daemon } from '../src/daemon/daemon.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';
import { client, makePlace, type Place, paired, start, type TestClient } from './helpers/daemon.ts';
import { ended } from './helpers/jobs.ts';

const recipe = 'project/recipe.yaml';
const file = 'project/data.jsonl';
const version = 'project/versions/data.v2.jsonl';
const fresh = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}';

let place: Place;
let daemon: Daemon;
let api: TestClient['api'];
let path: string;

beforeEach(async () => {
  place = makePlace();
  const folder = join(place.workspace, 'project');
  const rows = readFileSync(writeCapitalsTask(temporaryFolder(), 20));
  path = join(folder, 'data.jsonl');
  writeFileSync(path, rows);
  await beginProject({}, { folder, model: writeTinyModel(temporaryFolder()), data: path });
  daemon = await start(place);
  ({ api } = client(daemon, await paired(daemon)));
});

async function edit(row: number, text: string | null): Promise<JobOf<'editRow'>> {
  const { was } = await api.data.rowToEdit.query({ file, row });
  return (await ended(api, (await api.data.editRow.mutate({ file, row, was, text })).job)) as JobOf<'editRow'>;
}

test('a question and its answer become a row of the form that the others have', async () => {
  const before = readFileSync(path, 'utf8');
  const said = { system: 'Be short.', question: 'Who are you?', answer: 'Bram.' };
  const { job } = await api.data.addRow.mutate({ file, row: said });
  expect(await ended(api, job)).toMatchObject({ state: 'finished', result: { file: version } });
  const lines = readFileSync(join(place.workspace, version), 'utf8').trimEnd().split('\n');
  expect(`${lines.slice(0, -1).join('\n')}\n`).toBe(before);
  expect(JSON.parse(lines.at(-1) as string)).toEqual({
    messages: [
      { role: 'system', content: said.system },
      { role: 'user', content: said.question },
      { role: 'assistant', content: said.answer },
    ],
  });
  const anneal = annealIn(join(place.workspace, 'project'));
  expect(await anneal('edit', 'data.jsonl', '--add', fresh)).toMatchObject({ code: 0 });
  expect(readFileSync(path.replace('data.jsonl', 'versions/data.v3.jsonl'), 'utf8')).toBe(`${before}${fresh}\n`);
  expect((await anneal('edit', 'data.jsonl', '3', '--add', fresh)).stderr).toContain('either a row is named');
  writeFileSync(join(place.workspace, 'project', 'pairs.jsonl'), '{"prompt":"a","chosen":"b","rejected":"c"}\n');
  const wrong = await api.data.addRow.mutate({ file: 'project/pairs.jsonl', row: said });
  expect(await ended(api, wrong.job)).toMatchObject({ state: 'failed', error: { code: 'row_form_unknown' } });
});

test('a row is another one in the new version, which the recipe then names, and the audit says who did it', async () => {
  const before = readFileSync(path, 'utf8');
  expect(await api.data.rowToEdit.query({ file, row: 3 })).toMatchObject({ text: before.split('\n')[2], isJson: true });
  expect(await edit(3, fresh)).toMatchObject({ state: 'finished', subject: file, result: { file: version } });
  expect(readFileSync(path, 'utf8')).toBe(before);
  const lines = before.split('\n').with(2, fresh);
  expect(readFileSync(join(place.workspace, version), 'utf8')).toBe(lines.join('\n'));
  const origin = parse(readFileSync(join(place.workspace, 'project/versions/data.v2.origin.yaml'), 'utf8'));
  expect(origin).toMatchObject({ from: '../data.jsonl', row: 3, change: 'edited', by: expect.any(String) });

  expect(await api.data.recipesOf.query({ file })).toEqual([{ recipe, places: ['datasets.0'] }]);
  const written = readFileSync(join(place.workspace, recipe), 'utf8');
  await api.data.useVersion.mutate({ recipe, file, version });
  const changed = readFileSync(join(place.workspace, recipe), 'utf8');
  expect(changed.split('\n').filter((line, i) => line !== written.split('\n')[i])).toEqual([
    expect.stringContaining('"versions/data.v2.jsonl"'),
  ]);
  expect(await api.data.recipesOf.query({ file })).toEqual([]);
  const again = api.data.useVersion.mutate({ recipe, file, version });
  await expect(again).rejects.toMatchObject({ data: { error: { code: 'file_not_named' } } });

  const audit = readFileSync(join(new AgentState(place.workspace).folder, 'audit.jsonl'), 'utf8');
  expect(audit).toContain('"action":"data.editRow"');
  expect(audit).toContain('"action":"data.useVersion"');
});

test('what cannot be is told, and the version is not there', async () => {
  expect(await edit(1, '{"messages":')).toMatchObject({ state: 'failed', error: { code: 'malformed_row' } });
  const { was } = await api.data.rowToEdit.query({ file, row: 2 });
  writeFileSync(path, readFileSync(path, 'utf8').replace('\n', '\n\n'));
  const { job } = await api.data.editRow.mutate({ file, row: 2, was, text: null });
  expect(await ended(api, job)).toMatchObject({ state: 'failed', error: { code: 'row_not_found' } });
  expect(readdirSync(join(place.workspace, 'project'))).not.toContain('versions');
});

test('only data files of the workspace can be asked for', async () => {
  const secret = join(place.workspace, '..', 'secret.jsonl');
  writeFileSync(secret, '{"a":1}\n');
  symlinkSync(secret, join(place.workspace, 'project', 'linked.jsonl'));
  for (const name of ['../secret.jsonl', 'project/linked.jsonl', secret, 'project/recipe.yaml']) {
    const asked = api.data.rowToEdit.query({ file: name, row: 1 });
    await expect(asked, name).rejects.toMatchObject({ data: { error: { code: 'file_not_found' } } });
  }
});

test('the command line shows a row, edits it and leaves it out', async () => {
  const anneal = annealIn(join(place.workspace, 'project'));
  const line = readFileSync(path, 'utf8').split('\n')[4] as string;
  expect((await anneal('edit', 'data.jsonl', '5')).stdout).toBe(`${line}\n`);
  const edited = await anneal('edit', 'data.jsonl', '5', '--with', fresh, '--json');
  expect(JSON.parse(edited.stdout)).toEqual({ file: join(place.workspace, version) });
  const removed = await anneal('edit', 'versions/data.v2.jsonl', '5', '--remove');
  expect(removed.stdout).toContain('data.v3.jsonl');
  const rows = readFileSync(join(place.workspace, 'project/versions/data.v3.jsonl'), 'utf8');
  expect(rows).toBe(readFileSync(path, 'utf8').replace(`${line}\n`, ''));
  const both = await anneal('edit', 'data.jsonl', '5', '--with', fresh, '--remove');
  expect(both.stderr).toContain('--remove');
});
