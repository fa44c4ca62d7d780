/** Data sets by the agent: what is found, what is refused, rows by the window, and files of rows. */
import { appendFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataReportResult } from '@anneal/core/protocol/data';
import type { DataState } from '@anneal/core/protocol/dataView';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import type { Daemon } from '../src/daemon/daemon.ts';
import { beginProject } from '../src/service/recipes/init.ts';
import { starterFolder } from '../src/service/starterFolder.ts';
import { client, makePlace, type Place, paired, start, type TestClient } from './helpers/daemon.ts';

let place: Place;
let daemon: Daemon;
let cookie: string;
let api: TestClient['api'];
const recipe = 'project/recipe.yaml';
const ofRecipe = { recipe, file: null, model: null };

beforeEach(async () => {
  place = makePlace();
  vi.stubEnv('ANNEAL_CACHE', join(place.workspace, '..', 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = join(place.workspace, 'project');
  const elsewhere = join(place.workspace, '..', 'models');
  mkdirSync(elsewhere);
  await beginProject({}, { folder, model: writeTinyModel(elsewhere), data: writeCapitalsTask(folder, 300) });
  daemon = await start(place);
  cookie = await paired(daemon);
  ({ api } = client(daemon, cookie));
});

const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ number: i + 1 }));

/** The first state of this kind. */
function state(holds: (state: DataState) => boolean): Promise<DataState> {
  return new Promise((resolve, reject) => {
    const subscription = api.data.watch.subscribe(ofRecipe, {
      onData: (shown) => {
        if (!holds(shown)) return;
        subscription.unsubscribe();
        resolve(shown);
      },
      onError: reject,
    });
  });
}

const get = (query: string, headers: Record<string, string> = { cookie }) =>
  fetch(`${daemon.url}/api/data/rows?${query}`, { headers });

describe('data sets of a workspace', () => {
  it('are the recipes and the data files, and no file of a model, of a run, or that a link leads to', async () => {
    const folder = join(place.workspace, 'project');
    mkdirSync(join(folder, 'model'));
    writeFileSync(join(folder, 'model', 'config.json'), '{}');
    writeFileSync(join(folder, 'model', 'tokenizer.json'), '{}');
    mkdirSync(join(folder, 'runs'), { recursive: true });
    writeFileSync(join(folder, 'runs', 'samples.jsonl'), '{}\n');
    writeFileSync(join(place.workspace, '..', 'secret.jsonl'), '{"text": "secret"}\n');
    symlinkSync(join(place.workspace, '..', 'secret.jsonl'), join(folder, 'linked.jsonl'));
    const list = await api.data.list.query();
    expect(list.recipes).toEqual([{ key: recipe }]);
    expect(list.files.map(({ key }) => key)).toEqual(['project/rows.jsonl']);
    expect(list.models).toHaveLength(1);
  });

  it('are read by the window, row by row, and by verdict', async () => {
    const window = await api.data.rows.query({ ...ofRecipe, offset: 0, limit: 3 });
    expect(window).toMatchObject({ total: 300, rows: rows(3) });
    const row = await api.data.row.query({ ...ofRecipe, row: 300 });
    expect(row.tokens).toHaveLength(row.tokenCount as number);
    expect(await state((shown) => shown.phase === 'open' && shown.judging.state === 'done')).toMatchObject({
      judging: { judged: 300, counts: { kept: 300 } },
    });
    expect(await api.data.find.query({ ...ofRecipe, filter: 'problem', row: 0 })).toBeNull();
    expect(await api.data.lengths.query({ ...ofRecipe, sequenceLen: 1 })).toMatchObject({ loss: { rows: 300 } });
    const file = { recipe: null, file: 'project/rows.jsonl', model: null };
    expect(await api.data.rows.query({ ...file, offset: 299, limit: 3 })).toMatchObject({ rows: [{ number: 300 }] });
  });

  it('a row is read with another template or tokenizer, and with no model that is not here', async () => {
    const other = (changes: object) => api.data.row.query({ ...ofRecipe, row: 7, other: { ...changes } });
    const [row, alpaca] = [await other({}), await other({ template: 'alpaca' })];
    expect(alpaca.text).toContain('### Response:');
    expect(row.text).not.toContain('### Response:');
    expect(alpaca.value).toBe(row.value);
    cpSync(join(starterFolder, 'model'), join(place.workspace, 'project', 'model'), { recursive: true });
    const [tokenizer] = (await api.data.list.query()).tokenizers as [string];
    const split = await other({ model: tokenizer });
    expect(split.text).toBe(row.text);
    expect(split.tokenCount).not.toBe(row.tokenCount);
    await expect(other({ model: join(place.workspace, '..', 'models') })).rejects.toMatchObject({
      data: { error: { code: 'model_not_known' } },
    });
  });

  it('are searched in the background, in any case', async () => {
    const search = { ...ofRecipe, search: 'ANT', offset: 0, limit: 200 };
    await api.data.rows.query(search);
    const shown = await state((now) => now.phase === 'open' && now.searches.some(({ isDone }) => isDone));
    const found = await api.data.rows.query(search);
    expect(found.total).toBeGreaterThan(0);
    expect(found.total).toBeLessThan(300);
    expect(shown).toMatchObject({ searches: [{ text: 'ANT', looked: 300, found: found.total }] });
    for (const { excerpt } of found.rows) {
      expect(excerpt.some(({ text }) => text.toLowerCase().includes('ant'))).toBe(true);
    }
    const first = found.rows[0]?.number as number;
    expect(await api.data.find.query({ ...ofRecipe, search: 'ANT', row: 0 })).toBe(first);
  });

  it('that have changed are said to have, and are those of the file when they are opened again', async () => {
    await api.data.rows.query({ ...ofRecipe, offset: 0, limit: 1 });
    appendFileSync(join(place.workspace, 'project', 'rows.jsonl'), '{"messages": []}\n');
    await expect(api.data.rows.query({ ...ofRecipe, offset: 0, limit: 1 })).rejects.toMatchObject({
      data: { error: { code: 'data_changed' } },
    });
    expect(await api.data.rows.query({ ...ofRecipe, offset: 0, limit: 1 })).toMatchObject({ total: 301 });
  });

  it('a row that cannot be read leaves those beside it in sight, and says why nothing is trained', async () => {
    appendFileSync(join(place.workspace, 'project', 'rows.jsonl'), '{"messages": [\n');
    const window = await api.data.rows.query({ ...ofRecipe, offset: 298, limit: 5 });
    expect(window.rows).toMatchObject([{ verdict: 'kept' }, { verdict: 'kept' }, { verdict: 'malformed_row' }]);
    const shown = await state((now) => now.phase === 'open' && now.judging.state === 'failed');
    expect(shown).toMatchObject({ judging: { error: { what: expect.stringContaining('not valid JSON') } } });
    await expect(api.data.row.query({ ...ofRecipe, row: 301 })).rejects.toMatchObject({
      data: { error: { where: expect.stringContaining(':301') } },
    });
  });

  it('have what they share with the validation rows in their report', async () => {
    const folder = join(place.workspace, 'project');
    const held = readFileSync(join(folder, 'rows.jsonl'), 'utf8').split('\n').slice(0, 3);
    writeFileSync(join(folder, 'held.jsonl'), `${held.join('\n')}\n`);
    const file = join(folder, 'recipe.yaml');
    const written = readFileSync(file, 'utf8').replace(/^val_set_size: .*$/m, 'test_datasets:\n  - path: held.jsonl');
    writeFileSync(file, written);
    const report = await new Promise<DataReportResult>((resolve, reject) => {
      api.data.report.subscribe(ofRecipe, { onData: resolve, onError: reject });
    });
    expect(report.report?.leakage).toMatchObject({ exact: 3 });
  });

  it.each([
    '../secret.jsonl',
    'project/../../secret.jsonl',
    '/etc/passwd',
    'project/linked.jsonl',
    'project/recipe.yaml',
  ])('no file outside of those found is opened: %s', async (file) => {
    writeFileSync(join(place.workspace, '..', 'secret.jsonl'), '{"text": "secret"}\n');
    symlinkSync(join(place.workspace, '..', 'secret.jsonl'), join(place.workspace, 'project', 'linked.jsonl'));
    const asked = api.data.rows.query({ recipe: null, file, model: null, offset: 0, limit: 1 });
    await expect(asked).rejects.toMatchObject({ data: { error: { code: 'file_not_found' } } });
  });

  it('a model that no recipe names reads nothing', async () => {
    const file = 'project/rows.jsonl';
    const asked = api.data.rows.query({ recipe: null, file, model: '/etc', offset: 0, limit: 1 });
    await expect(asked).rejects.toMatchObject({ data: { error: { code: 'model_of_no_recipe' } } });
  });
});

describe('rows as a file', () => {
  it('are lines of JSON with what becomes of each', async () => {
    await state((shown) => shown.phase === 'open' && shown.judging.state === 'done');
    const answer = await get(`recipe=${recipe}&filter=kept`);
    expect(answer.headers.get('content-disposition')).toContain('rows-kept.jsonl');
    const lines = (await answer.text()).trimEnd().split('\n');
    expect(lines).toHaveLength(300);
    expect(JSON.parse(lines[299] as string)).toMatchObject({ number: 300, row: 300, verdict: { kind: 'kept' } });
  });

  it('are for paired browsers only, and what cannot be opened is an answer with its reason', async () => {
    expect((await get(`recipe=${recipe}`, {})).status).toBe(401);
    expect((await get('recipe=gone.yaml')).status).toBe(409);
    expect((await get(`recipe=${recipe}&filter=nonsense`)).status).toBe(400);
  });
});
