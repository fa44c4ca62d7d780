import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { InvalidRecipe } from '../problem.ts';
import { readSynthesisRecipe } from './read.ts';
import { synthesisReference } from './reference.ts';
import { synthesisKeys } from './schema.ts';

const good = `endpoint:
  url: http://127.0.0.1:11434/v1/
  model: small
sources:
  - path: docs
output: rows.jsonl
`;

async function read(text: string, set: readonly string[] = []) {
  const folder = temporaryFolder('recipe');
  const path = join(folder, 'recipe.yaml');
  writeFileSync(path, text);
  return { ...(await readSynthesisRecipe(path, set)), folder };
}

async function problemsOf(text: string, set: readonly string[] = []) {
  try {
    await read(text, set);
  } catch (error) {
    if (error instanceof InvalidRecipe) return error.problems;
    throw error;
  }
  return expect.fail('it is valid');
}

describe('a recipe of synthesize', () => {
  it('has its defaults, and paths that begin at the recipe', async () => {
    const { options, folder } = await read(good);
    expect(options).toMatchObject({
      endpoint: {
        url: 'http://127.0.0.1:11434/v1',
        concurrency: 4,
        parameters: { max_tokens: 1024, temperature: 0.7 },
      },
      sources: [{ path: join(folder, 'docs'), name: 'docs', field: 'text' }],
      output: join(folder, 'rows.jsonl'),
      deduplicate: 'near',
      rules: { question: { min: 10, max: 2000 }, json: false },
    });
    expect((await read(good, ['endpoint.concurrency=9'])).options.endpoint.concurrency).toBe(9);
  });

  it.each([
    ['modle: small', 'unknown_key', 'docs/synthesis-recipe.md'],
    ['pairs_per_chnk: 3', 'unknown_key', 'did you mean `pairs_per_chunk`?'],
    ['filters: {min_answer_char: 3}', 'unknown_key', 'did you mean `min_answer_chars`?'],
    ['deduplicate: nearly', 'unknown_choice', 'did you mean `near`?'],
    ['pairs_per_chunk: many', 'wrong_type', 'write a number'],
    ['chunk_chars: 5', 'out_of_range', 'from 100 on'],
    ['prompt: "Ask!"', 'wrong_value', '{text}'],
    ['prompt: "{text} {contu}"', 'wrong_value', 'write {text}, {count}, {language}, {persona}, {difficulty}'],
    ['prompt: "{text} {coumt}"', 'wrong_value', 'did you mean {count}?'],
    ['judge: {prompt: "{question}"}', 'wrong_value', 'write {answer} where it belongs'],
    ['variations: 2', 'wrong_value', 'at most 1'],
    ['thinking: think_tags', 'wrong_value', '`task: answer`'],
    ['filters: {must_match: "(("}', 'wrong_value', 'correct the regular expression'],
    ['filters: {scripts: [Latn, Elvish]}', 'wrong_value', 'as Unicode names it'],
    ['filters: {min_answer_chars: 9, max_answer_chars: 8}', 'wrong_value', 'lower the least'],
  ])('with `%s` is an error', async (line, code, next) => {
    const [problem] = await problemsOf(`${good}${line}\n`);
    expect(problem).toMatchObject({ code, next: expect.stringContaining(next), line: 7 });
  });

  it.each([
    ['endpoint.url=elsewhere', 'no address'],
    ['endpoint.url=ftp://a/v1', 'is not asked'],
    ['endpoint.url=http://me:word@a/v1', 'a name or a password'],
    ['endpoint.url=http://a/v1?key=3', 'behind ?'],
    ['endpoint.url=http://a/v1/chat/completions', 'is added'],
    ['endpoint.parameters.seed=3', 'Anneal itself'],
    ['endpoint.api_key_env=HF_TOKEN', 'the token of a hub'],
    ['endpoint.modell=x', 'unknown key'],
    ['endpoint.timeout_seconds=301', 'out of range'],
    ['judge={url: "http://a/v1", api_key_env: KEY}', 'in the clear'],
    ['sources.0.path=./rows.jsonl', 'the output'],
    ['output=rows.csv', 'ends in .jsonl'],
    ['sources=[]', 'empty'],
    ['endpoint=null', 'missing'],
  ])('with %s is an error', async (set, what) => {
    expect((await problemsOf(good, [set]))[0]?.what).toContain(what);
  });

  it('refuses what would change nothing', async () => {
    const answer = ['task=answer', 'personas=[a child]', 'prompt="{text}"'];
    expect((await problemsOf(good, answer)).map(({ path }) => path)).toEqual([['prompt'], ['personas']]);
    const own = ['personas=[a child]', 'prompt="{text} {count}"'];
    expect((await problemsOf(good, own))[0]?.next).toContain('write {persona} into it');
  });

  it('gives the key of the rows to no other judge', async () => {
    const withKey = ['endpoint.api_key_env=KEY', 'judge.threshold=5'];
    expect((await read(good, withKey)).options.judge?.endpoint).toMatchObject({
      model: 'small',
      apiKeyVariable: 'KEY',
    });
    const other = await read(good, [...withKey, 'judge.url=https://other/v1/']);
    expect(other.options.judge?.endpoint).toMatchObject({ url: 'https://other/v1', apiKeyVariable: null });
  });

  it('names the longest answer as the endpoint does', async () => {
    const set = ['endpoint.parameters={max_completion_tokens: 99}', 'judge={max_tokens: 8}'];
    const { endpoint, judge } = (await read(good, set)).options;
    expect(endpoint.parameters).toEqual({ temperature: 0.7, max_completion_tokens: 99 });
    expect(judge?.endpoint.parameters).toEqual({ temperature: 0, max_completion_tokens: 8 });
  });

  it('sends a key in the clear to this machine only', async () => {
    const withKey = ['endpoint.api_key_env=KEY'];
    for (const url of ['http://localhost:1/v1', 'http://[::1]:1/v1', 'https://a/v1']) {
      expect((await read(good, [...withKey, `endpoint.url=${url}`])).options.endpoint.apiKeyVariable).toBe('KEY');
    }
    expect((await problemsOf(good, [...withKey, 'endpoint.url=http://a/v1']))[0]?.what).toContain('in the clear');
  });

  it('says all mistakes at once, and that it is empty', async () => {
    expect(await problemsOf('a: 1\nb: 2\n')).toHaveLength(5);
    expect((await problemsOf(''))[0]).toMatchObject({
      code: 'recipe_empty',
      next: expect.stringContaining('endpoint'),
    });
  });
});

describe('docs/synthesis-recipe.md', () => {
  it('is what the schema says now, every key of it', async () => {
    const path = new URL('../../../../../docs/synthesis-recipe.md', import.meta.url);
    await expect(synthesisReference()).toMatchFileSnapshot(path.pathname);
    for (const key of Object.keys(synthesisKeys)) expect(synthesisReference()).toContain(`- **\`${key}\`**`);
  });
});
