/**
 * Gemma 3n has a table for its layers with fewer rows than its embedding: a token without a row in it, of a text or said by the model, ended the
 * run at that step.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModelTokenizer } from '../packages/core/src/generate/modelText.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { readableIds } from '../packages/core/src/tokenizers/tokensWithoutRow.ts';
import { byteTokenizerJson } from '../packages/core/test/byteTokenizer.ts';
import { openDecoder } from '../packages/core/test/decoder.ts';
import { goldenPath, temporaryFolder } from '../packages/core/test/fixtures.ts';
import { writeRandomModel } from '../packages/core/test/randomModel.ts';

test('such a token is refused in a text, and never said', async () => {
  const config = JSON.parse(readFileSync(join(goldenPath('gemma3n'), 'config.json'), 'utf8'));
  const tokenizer = byteTokenizerJson();
  const vocabulary = Object.keys((tokenizer['model'] as { vocab: object }).vocab).length;
  const added = { id: vocabulary, content: '<sound>', special: true };
  const path = await writeRandomModel(temporaryFolder(), {
    ...config,
    vocab_size: vocabulary + 1,
    vocab_size_per_layer_input: vocabulary,
  });
  const addedTokens = [...(tokenizer['added_tokens'] as object[]), added];
  writeFileSync(join(path, 'tokenizer.json'), JSON.stringify({ ...tokenizer, added_tokens: addedTokens }));
  writeFileSync(join(path, 'tokenizer_config.json'), '{}');

  const model = openModel(path);
  const opened = openModelTokenizer(model);
  model.close();
  expect(opened.withoutRow.map(({ text }) => text)).toEqual(['<sound>']);
  const tokenized = await opened.encode('a<sound>');
  expect(() => readableIds(opened, tokenized)).toThrow('the text holds <sound>');

  const decoder = await openDecoder(path, { contextLength: 32, chunk: 8 });
  expect((await decoder.logits([3, 4, 5], 0)).length).toBe(vocabulary);
  const sampling = { temperature: 100, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1.1 };
  const said = await decoder.generate([3, 4, 5], { sampling, maxNewTokens: 24 });
  expect(Math.max(...said)).toBeLessThan(vocabulary);
});
