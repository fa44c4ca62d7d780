/**
 * Added tokens whose ids lie beyond the embedding were dropped without a word: a text that spelled one became other tokens than
 * with the model's own tokenizer, which makes an id of it that the model cannot read.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

type Json = Record<string, unknown>;

const PAD = '<|padding|>';
const WARNING = { code: 'tokens_without_row', message: expect.stringContaining(PAD) };

function edit(path: string, change: (json: Json) => Json): void {
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Json)));
}

function paddedModel(folder: string): string {
  const model = writeTinyModel(folder);
  const { vocab_size: id } = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'));
  const token = {
    id,
    content: PAD,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  };
  edit(join(model, 'tokenizer.json'), (json) => {
    const { vocab, ...rest } = json['model'] as { vocab: Json };
    const fillers = Array.from({ length: id }, (_, at) => [`<${at}>`, at] as const).slice(Object.keys(vocab).length);
    const filled = { ...rest, vocab: { ...vocab, ...Object.fromEntries(fillers) } };
    return { ...json, model: filled, added_tokens: [...(json['added_tokens'] as Json[]), token] };
  });
  edit(join(model, 'tokenizer_config.json'), (json) => ({ ...json, pad_token: PAD }));
  return model;
}

const row = (answer: string) => ({
  messages: [
    { role: 'user', content: 'A question' },
    { role: 'assistant', content: answer },
  ],
});

function writeRecipe(folder: string, rows: readonly unknown[], changes: Json = {}): string {
  writeFileSync(join(folder, 'data.jsonl'), rows.map((one) => JSON.stringify(one)).join('\n'));
  const recipe = { base_model: paddedModel(folder), datasets: [{ path: join(folder, 'data.jsonl') }], max_steps: 1 };
  writeFileSync(
    join(folder, 'recipe.yaml'),
    JSON.stringify({ schema_version: 1, ...tinyRecipe(folder, recipe), ...changes }),
  );
  return 'recipe.yaml';
}

test('each verb names them once', async () => {
  const folder = temporaryFolder();
  const recipe = writeRecipe(folder, [row('yes'), row('no')]);
  const anneal = annealIn(folder, { ANNEAL_CACHE: folder });
  for (const verb of [
    ['validate', recipe],
    ['estimate', recipe],
    ['inspect', recipe],
    ['train', recipe],
    ['chat', join(folder, 'tiny-smollm2'), '--prompt', 'A'],
    ['export', 'latest', '--lora'],
  ]) {
    const { stdout, stderr } = await anneal(...verb);
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(PAD));
    expect(said, verb.join(' ')).toHaveLength(1);
  }
});

test('a row that spells one is dropped, and says why', async () => {
  const folder = temporaryFolder();
  const recipe = writeRecipe(folder, [row('yes'), row(`no ${PAD}`)]);
  const { stdout } = await annealIn(folder)('inspect', recipe, '--rows', '1-2', '--json');
  const verdicts = JSON.parse(stdout).rows.map(({ verdict }: Json) => verdict);
  expect(verdicts).toEqual([
    { kind: 'kept' },
    { kind: 'dropped', reason: 'token_without_row', detail: expect.stringContaining(PAD) },
  ]);
});

test('a template that prints one, and a prompt that spells one, are refused', async () => {
  const folder = temporaryFolder();
  const template = join(folder, 'pad.jinja');
  writeFileSync(template, '{% for m in messages %}{{ pad_token }}{{ m.content }}<|im_end|>{% endfor %}');
  const recipe = writeRecipe(folder, [row('yes')], { chat_template: template });
  const anneal = annealIn(folder);
  const trained = await anneal('train', recipe);
  expect(trained.code).not.toBe(0);
  expect(trained.stderr).toContain('token_without_row');
  const asked = await anneal('chat', join(folder, 'tiny-smollm2'), '--plain', '--prompt', `A ${PAD}`);
  expect(asked.code).not.toBe(0);
  expect(asked.stderr).toMatch(/the text holds <\|padding\|>, a token \(id \d+\)/);
});

test('a run records the warning', async () => {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, { base_model: paddedModel(folder), max_steps: 1 });
  expect(eventsOf(await trainHere(recipe), 'warning')).toMatchObject([WARNING]);
});
