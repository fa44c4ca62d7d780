/**
 * A vocabulary that lacks bytes dropped the characters made of them without a word, in rows and in prompts; so did BPE of characters
 * without an unknown token, and one with such a token trained that in the place of what was written.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { openTokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { tinyRecipe } from '../packages/core/test/runs.ts';

type Json = Record<string, unknown>;

const STARTER = join(import.meta.dirname, '../apps/agent/starter/model');

/** @returns the tokenizer of the starter, which has every byte, without that; "é" is the bytes C3 A9, spelled Ã and ©. */
function without(piece: string, { model, ...rest }: Json & { model: Json & { vocab: Json; merges: unknown[] } }): Json {
  const named = Object.entries(model.vocab).map(([token, id]) => [token.includes(piece) ? `<${id}>` : token, id]);
  const merges = model.merges.filter((merge) => !String(merge).includes(piece));
  return { ...rest, model: { ...model, vocab: Object.fromEntries(named), merges } };
}

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

const row = (answer: string) => ({
  messages: [
    { role: 'user', content: 'A question' },
    { role: 'assistant', content: answer },
  ],
});

test('a row with such a character is dropped and says why; a prompt with one is refused', async () => {
  const folder = temporaryFolder();
  const base_model = join(folder, 'model');
  cpSync(STARTER, base_model, { recursive: true });
  const path = join(base_model, 'tokenizer.json');
  writeFileSync(path, JSON.stringify(without('©', readJson(path))));
  const data = join(folder, 'data.jsonl');
  writeFileSync(data, ['yes', 'café', 'no'].map((answer) => JSON.stringify(row(answer))).join('\n'));
  const recipe = { schema_version: 1, ...tinyRecipe(folder, { base_model, datasets: [{ path: data }], max_steps: 1 }) };
  writeFileSync(join(folder, 'recipe.yaml'), JSON.stringify(recipe));
  const anneal = annealIn(folder);
  const { rows } = JSON.parse((await anneal('inspect', 'recipe.yaml', '--rows', '1-3', '--json')).stdout);
  const lost = { kind: 'dropped', reason: 'content_lost', detail: 'the tokenizer has no token for "é"' };
  expect(rows.map(({ verdict }: Json) => verdict)).toEqual([{ kind: 'kept' }, lost, { kind: 'kept' }]);
  const asked = await anneal('chat', base_model, '--prompt', 'café');
  expect(asked.code).not.toBe(0);
  expect(asked.stderr).toContain('no token for "é"');
});

const word = { type: 'BPE', vocab: { '<unk>': 0, a: 1, b: 2, ab: 3 }, merges: ['a b'] };
const lostBy = async (model: Json, text: string): Promise<string | null> => {
  const tokenizerJson = { version: '1.0', added_tokens: [], model, pre_tokenizer: { type: 'WhitespaceSplit' } };
  return (await opened(tokenizerJson).encode(text)).lost;
};

const opened = (tokenizerJson: Json) => openTokenizer({ tokenizerJson, tokenizerConfig: {} });

test('so it is where the tokenizers library encodes', async () => {
  expect(await lostBy(word, 'ab ba')).toBeNull();
  expect(await lostBy(word, 'ab bca')).toBe('c');
  expect(await lostBy({ ...word, unk_token: '<unk>' }, 'ab bca')).toBe('c');
  expect(await lostBy({ ...word, unk_token: '<unk>' }, 'ab ba')).toBeNull();
});

test('and where it encodes a text for our encoder', async () => {
  const whole = readJson(join(STARTER, 'tokenizer.json'));
  const text = '\u20C1 caf\u00e9'; // begins with the riyal sign, of a later Unicode than the library's
  expect((await opened(without('©', whole)).encode(text)).lost).toBe('é');
  expect((await opened(whole).encode(text)).lost).toBeNull();
});
