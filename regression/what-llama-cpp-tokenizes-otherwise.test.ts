/**
 * A GGUF of a tokenizer that composes characters (NFC) or tells marks (\p{M}) came without a word on what llama.cpp makes of it, and tokens
 * that a post-processor of BERT's kind adds were left out of the file.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { withLlamaCpp } from '../packages/core/test/llamaCpp.ts';
import { SPLITS } from '../packages/formats/src/tokenizer/splits.ts';

const starter = join(import.meta.dirname, '..', 'apps', 'agent', 'starter', 'model');
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
const splitBy = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });

/** The starter's model with another tokenizer, exported. */
async function exported(changes: object) {
  const folder = temporaryFolder();
  cpSync(starter, join(folder, 'model'), { recursive: true });
  const path = join(folder, 'model', 'tokenizer.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
  const { code, stdout, stderr } = await annealIn(folder)('export', 'model', '--gguf', 'f16', '--to', 'out');
  return {
    code,
    told: stdout + stderr,
    file: join(folder, 'out', 'gguf', 'model-F16.gguf'),
    record: join(folder, 'out/anneal-export.json'),
  };
}

test('of characters that are not composed', async () => {
  const { code, told, file, record } = await exported({ normalizer: { type: 'NFC' } });
  expect([code, told]).toEqual([0, expect.stringContaining('does not compose characters (NFC)')]);
  expect(readFileSync(record, 'utf8')).toContain('does not compose characters (NFC)');
  const tokens = await withLlamaCpp(file, async (model) => ['\u00e9', 'e\u0301'].map((text) => model.tokenize(text)));
  if (tokens) expect(tokens[0]).not.toEqual(tokens[1]);
});

test('of marks', async () => {
  const pretokenizers = [splitBy(SPLITS.gpt4o), byteLevel];
  const { code, told } = await exported({ pre_tokenizer: { type: 'Sequence', pretokenizers } });
  expect([code, told]).toEqual([0, expect.stringContaining('does not tell marks (\\p{M}) from other signs')]);
});

test('of neither nothing is said', async () => {
  const { code, told } = await exported({});
  expect([code, told]).toEqual([0, expect.not.stringContaining('warning')]);
});

test('tokens that only a post-processor of another kind adds are refused', async () => {
  const { code, told } = await exported({ post_processor: { type: 'BertProcessing', sep: ['a', 1], cls: ['b', 2] } });
  expect([code, told]).toEqual([2, expect.stringContaining('its post_processor {"type":"BertProcessing"')]);
});
