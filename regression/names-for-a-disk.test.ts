/**
 * Names of a hub that no disk can hold ended a pull as a defect: one of 300 characters, a folder in the place of a file. Rows
 * in a file whose name was not plain English were left out without a word. A server that repeated our token in its error had
 * it printed. Looking for keys that are there twice in a README of 20,000 keys took a minute.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configsOf } from '../packages/core/src/hub/datasets/configs.ts';
import { pullDataset } from '../packages/core/src/hub/datasets/pull.ts';
import { selectDataFiles } from '../packages/core/src/hub/datasets/select.ts';
import { selectFiles } from '../packages/core/src/hub/selectFiles.ts';
import { type HubStandIn, startHub } from '../packages/core/src/hub/testing/hubStandIn.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

const ID = 'someone/rows';
const wanted = { revision: null, name: null, split: null, dataFiles: null };
let cacheDirectory: string;
let hub: HubStandIn | undefined;

beforeEach(() => {
  cacheDirectory = temporaryFolder('names');
  vi.stubEnv('HF_HUB_OFFLINE', undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub?.close();
});

async function pull(names: readonly string[], token?: string) {
  hub = await startHub(ID, Object.fromEntries(names.map((name) => [name, '{"text":"a"}\n'])), { gated: false });
  if (token) {
    hub.answers.set('/revision/', (response, { headers }) => {
      const body = JSON.stringify({ error: `no access for ${headers.authorization}` });
      response.writeHead(418, { 'content-type': 'application/json' }).end(body);
    });
  }
  return await pullDataset(ID, wanted, { cacheDirectory, hubUrl: hub.url, modelScopeUrl: 'http://127.0.0.1:9', token });
}

test('a name that is too long is not asked for', () => {
  const long = `${'a'.repeat(300)}.json`;
  expect(selectFiles('a/b', ['config.json', long, 'model.safetensors'])).toEqual(['config.json', 'model.safetensors']);
  expect(selectFiles('a/b', ['Provenance.json', 'model.safetensors'])).toEqual(['model.safetensors']);
});

test.each([
  [['a.jsonl', 'a.jsonl/b.jsonl']],
  [['a.jsonl', 'a.jsonl.part/b.jsonl']],
  [['a.jsonl', 'a.jsonl.part.etag/b.jsonl']],
  [['a.jsonl', 'provenance.json/b.jsonl']],
])('%j cannot lie beside each other', async (names) => {
  await expect(pull(names)).rejects.toMatchObject({
    what: expect.stringContaining('cannot lie beside each other'),
    code: 'dataset_not_fetched',
  });
});

test('letters of any language are letters', async () => {
  const { folder, files } = await pull(['data/日本語.jsonl', 'data/größe.jsonl', 'data/a.jsonl']);
  expect(files.map(({ path }) => path)).toEqual(['data/a.jsonl', 'data/größe.jsonl', 'data/日本語.jsonl']);
  expect(readdirSync(join(folder, 'data'))).toHaveLength(3);
});

test.each(['a#b.jsonl', `${'日'.repeat(80)}.jsonl`, '-a.jsonl', 'a\u0000.jsonl', '/etc/a.jsonl'])(
  'rows under the name %j are not left out without a word',
  (name) => {
    const listed = ['train.jsonl', name, '.hidden/a.jsonl', 'dataset_info.json'];
    expect(() => selectDataFiles(ID, listed, undefined, wanted)).toThrow('it also has rows in files that are not read');
    expect(selectDataFiles(ID, listed, undefined, { ...wanted, dataFiles: ['train.jsonl'] })).toEqual(['train.jsonl']);
  },
);

test('a token that the server repeats is not shown', async () => {
  const error = await pull(['a.jsonl'], 'hf_secretsecret').catch((reason: Error) => reason);
  expect(String(error)).toContain('no access for Bearer …');
  expect(String(error)).not.toContain('secretsecret');
});

test('a README may have a key twice, but no text without end', () => {
  const card = '---\nconfigs:\n- {config_name: a}\nconfigs:\n- {config_name: b}\n---\n';
  expect(configsOf(['train.jsonl'], card).map(({ name }) => name)).toEqual(['b']);
  expect(() => configsOf(['train.jsonl'], `---\n${'a: 1\n'.repeat(300_000)}---\n`)).toThrow('more than 1048576');
});
