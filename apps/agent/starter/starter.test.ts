import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareData } from '@anneal/core/datasets/prepareData';
import { openModelText } from '@anneal/core/generate/modelText';
import { openModel } from '@anneal/core/models/open';
import type { RunEvent } from '@anneal/core/protocol/events';
import { parseRecipe } from '@anneal/core/recipe/read';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import { dataOptions } from '@anneal/core/trainer/dataOptions';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';
import { annealIn } from '../test/helpers/anneal.ts';

const starter = import.meta.dirname;
const modelFolder = join(starter, 'model');
const recipePath = join(starter, 'recipe.yaml');

interface Message {
  readonly role: string;
  readonly content: string;
}

const rows = readFileSync(join(starter, 'data', 'harbour.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => (JSON.parse(line) as { messages: Message[] }).messages);

test('the rows are conversations of many kinds, all in the manner of the keeper', () => {
  expect(rows.length).toBeGreaterThanOrEqual(200);
  const answers = rows.flatMap((messages) => messages.filter(({ role }) => role === 'assistant'));
  for (const { content } of answers) expect(content).toMatch(/^Aye, .*[.?]$/);
  expect(new Set(answers.map(({ content }) => content)).size).toBeGreaterThan(0.85 * answers.length);
  for (const messages of rows) {
    const roles = messages.map(({ role }) => role).join(' ');
    expect(roles).toMatch(/^(system )?user assistant( user assistant)*$/);
  }
  expect(rows.filter((messages) => messages.filter(({ role }) => role === 'user').length > 1).length).toBeGreaterThan(
    15,
  );
  expect(rows.filter(([first]) => first?.role === 'system').length).toBeGreaterThan(8);
});

test('every row renders, tokenizes and is trained; none is there twice', async () => {
  const { recipe } = parseRecipe(readFileSync(recipePath, 'utf8'), recipePath);
  const { text, prepare } = dataOptions(resolveRecipe(recipe, { baseDirectory: starter }));
  const model = openModel(modelFolder);
  onTestFinished(() => model.close());
  const { tokenizer, renderer } = openModelText(model, text);
  const { summary } = await prepareData({ ...prepare, tokenizer, renderer, folder: temporaryFolder() });
  expect(summary).toMatchObject({ rows: rows.length, kept: rows.length, truncated: 0, dropped: 0, duplicates: 0 });
});

test('fine-tuning changes the answers and halves the validation loss', async () => {
  const runs = temporaryFolder();
  const anneal = annealIn(starter);
  const trained = await anneal('train', 'recipe.yaml', '--runs-dir', runs, '--name', 'keeper', '--json');
  expect(trained).toMatchObject({ code: 0, stderr: '' });
  const events = trained.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
  const samples = events.filter((event) => event.type === 'sample');
  const before = samples.filter(({ step }) => step === 0).map(({ text }) => text);
  const after = samples.slice(-before.length).map(({ text }) => text);
  expect(before).toHaveLength(4);
  for (const text of before) expect(text).not.toMatch(/^Aye/);
  for (const text of after) expect(text).toMatch(/^Aye, /);

  const base = await anneal('eval', 'latest', '--runs-dir', runs, '--base', '--json');
  const { loss } = JSON.parse(base.stdout) as { loss: number };
  const evaluated = events.filter((event) => event.type === 'evaluated').at(-1);
  expect(evaluated?.loss).toBeLessThan(0.55 * loss);
});
