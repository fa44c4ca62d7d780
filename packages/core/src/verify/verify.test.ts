import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fixtures.ts';
import { peerTokenizer, type TokenizerFamily } from '../../test/peers.ts';
import { verify } from './verify.ts';

const families: readonly TokenizerFamily[] = ['qwen3', 'llama3_1', 'gemma3', 'deepseek_v3', 'llama2'];
const path = (name: string) => fileURLToPath(new URL(`../../test/golden/${name}`, import.meta.url));

for (const family of families) {
  const tokenizer = await peerTokenizer(family);
  describe.skipIf(tokenizer === null)(`chat templates and token ids of ${family}`, () => {
    const options = { tokenizer: tokenizer as string };
    const failed = async (file: string) => (await verify(file, options)).filter(({ passed }) => !passed);

    test.each(['templates', 'templates-heldout'])('%s', async (folder) => {
      expect(await failed(path(`${folder}/${family}.json`))).toEqual([]);
    });

    test('in every case one id, one text or one refusal that is wrong fails', async () => {
      const golden = JSON.parse(readFileSync(path(`templates/${family}.json`), 'utf8'));
      for (const reference of golden.cases) spoil(reference);
      for (const { ids } of golden.texts) ids.push(7);
      const file = join(temporaryFolder(), `${family}.json`);
      writeFileSync(file, JSON.stringify(golden));
      const names = (await failed(file)).map(({ name }) => name);
      const spoilt = (prefix: string) => names.filter((name) => name.startsWith(`${prefix}.`)).length;
      for (const reference of golden.cases) expect(spoilt(`${family}.${reference.case}`)).toBe(1);
      for (const i of golden.texts.keys()) expect(spoilt(`${family}.text.${i}`)).toBe(1);
    });
  });
}

/** Makes one thing wrong: an id, or the text where there are none, or the refusal. */
function spoil(reference: { rendered?: string; error?: string; ids?: number[] }): void {
  const { ids } = reference;
  if (ids && ids.length > 0) ids[ids.length >> 1] = (ids[ids.length >> 1] as number) + 1;
  else if (reference.rendered !== undefined) reference.rendered += ' ';
  else if (reference.error === undefined) reference.error = 'refused';
  else reference.error = `${reference.error.slice(0, -1)}?`;
}

describe('what cannot be verified says why', () => {
  test.each([
    ['an empty folder', {}, 'golden_not_found'],
    ['chat templates without their tokenizer', { 'a.json': '{"family": "qwen3"}' }, 'option_missing'],
    ['a run without its model', { 'golden.json': '{}', 'rows.jsonl': '' }, 'option_missing'],
    ['a model without its curves', { 'golden.safetensors': '', 'config.json': '{}' }, 'golden_incomplete'],
  ])('%s', async (_, files, code) => {
    const folder = join(temporaryFolder(), 'golden');
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    await expect(verify(folder)).rejects.toMatchObject({ name: 'UserError', code });
    expect(readdirSync(folder).length).toBe(Object.keys(files).length);
  });

  test('a path that is not there', async () => {
    await expect(verify('/no/such/folder')).rejects.toMatchObject({ code: 'golden_not_found' });
  });
});

test('a file that is far too large, or no JSON, is no reference, and not read to find that out', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.json'), '{}');
  truncateSync(join(folder, 'config.json'), 4 * 2 ** 30);
  await expect(verify(folder)).rejects.toMatchObject({ code: 'golden_not_found' });
  writeFileSync(join(folder, 'golden.json'), '{"rows": }');
  writeFileSync(join(folder, 'rows.jsonl'), '');
  await expect(verify(folder, { model: folder })).rejects.toMatchObject({ code: 'invalid_json' });
  truncateSync(join(folder, 'golden.json'), 4 * 2 ** 30);
  await expect(verify(folder, { model: folder })).rejects.toMatchObject({ code: 'file_too_large' });
});
