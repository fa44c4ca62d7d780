/** Lists of ModelScope that come in pages of their own size, without an end, or cut. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PATIENCE } from '../boundedFetch.ts';
import { modelScopeModel } from '../modelScopeHub.ts';
import { type HubStandIn, startHub } from '../testing/hubStandIn.ts';
import { modelScopeDataset } from './modelScopeDataset.ts';

const ID = 'someone/some-rows';
const names = Array.from({ length: 23 }, (_, i) => `data/train-${String(i).padStart(5, '0')}-of-00023.parquet`);

let hub: HubStandIn;
beforeEach(async () => {
  hub = await startHub(ID, Object.fromEntries(names.map((name) => [name, name])));
  return hub.close;
});
afterEach(() => hub.answers.clear());

const request = () => ({ id: ID, hubUrl: hub.url, revision: undefined, signal: undefined, patience: PATIENCE });
const list = () => modelScopeDataset(request(), { revision: null, name: null, split: 'train', dataFiles: null });

/** Answers pages of the list by `answerTo`, from 1 on. */
function answerPages(answerTo: (page: number) => object): void {
  hub.answers.set('/repo/tree', (response: ServerResponse, { url }: IncomingMessage) => {
    const page = Number(new URL(url ?? '', 'http://hub').searchParams.get('PageNumber'));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerTo(page)));
  });
}
const entry = (Path: string) => ({ Path, Type: 'blob', Size: 1, Sha256: '0'.repeat(64) });
const answer = (paths: readonly string[]) => ({ Code: 200, Success: true, Data: { Files: paths.map(entry) } });

test.each([1, 7, 23, 200])('a list in pages of %i is read to its end', async (size) => {
  answerPages((page) => answer(names.slice((page - 1) * size, page * size)));
  expect((await list()).files.map(({ path }) => path)).toEqual(names);
});

test('a last page without a list is the end', async () => {
  answerPages((page) => (page === 1 ? answer(names) : { Code: 200, Success: true, Data: { Files: null } }));
  expect((await list()).files).toHaveLength(23);
});

test('folders count as what a page brings', async () => {
  const folder = { Path: 'data', Type: 'tree', Size: 0, Sha256: '' };
  answerPages((page) => (page === 1 ? { Data: { Files: [folder] } } : answer(page === 2 ? names : [])));
  expect((await list()).files.map(({ path }) => path)).toEqual(names);
});

test.each([
  ['that repeats itself', () => answer(names), 'page 2 of its list of files has nothing new'],
  ['without an end', (page: number) => answer([`${page}.parquet`]), 'does not end after 50 pages'],
  [
    'that fails in the middle',
    (page: number) => (page === 1 ? answer(names) : { Code: 500, Success: false, Data: { Files: null } }),
    'its answer is not a list of files',
  ],
  ['that is empty', () => answer([]), 'its list of files is empty'],
])('a list %s is an error', async (_, answerTo: (page: number) => object, message) => {
  answerPages(answerTo);
  await expect(list()).rejects.toThrow(message);
});

test('a list of a model that may be cut is an error', async () => {
  const many = Array.from({ length: 3000 }, (_, i) => `${i}.safetensors`);
  hub.answers.set('/repo/files', (response) => response.end(JSON.stringify(answer(many))));
  await expect(modelScopeModel({ ...request(), file: undefined })).rejects.toThrow('may go on after 3000');
});
