import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareData } from '@anneal/core/datasets/prepareData';
import { openModelText } from '@anneal/core/generate/modelText';
import { openModel } from '@anneal/core/models/open';
import type { RunEvent } from '@anneal/core/protocol/events';
import { parseRecipe } from '@anneal/core/recipe/read';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import { openTokenizer } from '@anneal/core/tokenizers/tokenizer';
import { dataOptions } from '@anneal/core/trainer/dataOptions';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { annealIn } from '../test/helpers/anneal.ts';
import { CONFIG } from './pretraining/initialise.ts';
import { CONVERSATIONS, conversationRow, STORIES, storyRow } from './pretraining/text.ts';
import { CHAT_TEMPLATE, tokenizerJson, VOCABULARY } from './pretraining/tokenizer.ts';

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

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-starter-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('the text is the one that the model was trained on', () => {
  const hash = createHash('sha256');
  for (let index = 0; index < STORIES; index++) hash.update(`${storyRow(index)}\n`);
  for (let index = 0; index < CONVERSATIONS; index++) hash.update(`${conversationRow(index)}\n`);
  expect(hash.digest('hex')).toBe('00b2862e2659058377c3996bfcd11decd6d176f2e373a1878eddb00aaaa9f0f1');
});

test('the tokenizer is the one learnt from the text, and gives every text back', async () => {
  expect(JSON.parse(readFileSync(join(modelFolder, 'tokenizer.json'), 'utf8'))).toEqual(tokenizerJson());
  const tokenizer = openTokenizer(modelFolder);
  expect(tokenizer).toMatchObject({ vocabSize: VOCABULARY, chatTemplate: CHAT_TEMPLATE, eos: { text: '<|im_end|>' } });
  const texts = [
    ...rows.flatMap((messages) => messages.map(({ content }) => content)),
    storyRow(7),
    '潮 🌊\u0000\r\n\t',
  ];
  const roundTrip = async (text: string) => tokenizer.decode((await tokenizer.encode(text)).ids);
  for (const text of texts) expect(await roundTrip(text)).toBe(text);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 60 }), async (text) => {
      expect(await roundTrip(text)).toBe(text);
    }),
    { seed: 1871, numRuns: 300 },
  );
});

test('the model is small, of the shape that pretraining began with, and says which tokens end an answer', () => {
  expect(statSync(join(modelFolder, 'model.safetensors')).size).toBeLessThanOrEqual(4_000_000);
  const model = openModel(modelFolder);
  onTestFinished(() => model.close());
  const { torch_dtype: _, ...shape } = CONFIG;
  expect(model.configJson).toMatchObject(shape);
  const { tokenizer, stopIds } = openModelText(model);
  expect(stopIds).toContain(tokenizer.idOf('<|im_end|>'));
});

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

test('every row renders, tokenises and is trained; none is there twice', async () => {
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
