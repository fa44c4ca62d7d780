/** The starter's model is what the code here makes. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openModelText } from '@anneal/core/generate/modelText';
import { openModel } from '@anneal/core/models/open';
import { openTokenizer } from '@anneal/core/tokenizers/tokenizer';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { CONFIG } from './initialize.ts';
import { starterProject } from './project.ts';
import { CONVERSATIONS, conversationRow, STORIES, storyRow } from './text.ts';
import { CHAT_TEMPLATE, tokenizerJson, VOCABULARY } from './tokenizer.ts';

const modelFolder = join(starterProject, 'model');

test('the text is the one that the model was trained on', () => {
  const hash = createHash('sha256');
  for (let index = 0; index < STORIES; index++) hash.update(`${storyRow(index)}\n`);
  for (let index = 0; index < CONVERSATIONS; index++) hash.update(`${conversationRow(index)}\n`);
  expect(hash.digest('hex')).toBe('00b2862e2659058377c3996bfcd11decd6d176f2e373a1878eddb00aaaa9f0f1');
});

test('the tokenizer is the one learnt from the text, and gives every text back', async () => {
  expect(JSON.parse(readFileSync(join(modelFolder, 'tokenizer.json'), 'utf8'))).toEqual(tokenizerJson());
  const tokenizer = openTokenizer(modelFolder);
  const rows = readFileSync(join(starterProject, 'data', 'harbour.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { messages: { content: string }[] });
  expect(tokenizer).toMatchObject({ vocabSize: VOCABULARY, chatTemplate: CHAT_TEMPLATE, eos: { text: '<|im_end|>' } });
  const texts = [
    ...rows.flatMap(({ messages }) => messages.map(({ content }) => content)),
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
