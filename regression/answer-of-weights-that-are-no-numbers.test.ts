/** A model with NaN among its weights answered with the first token of the vocabulary, again and again, as if that were its answer. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDecoder } from '../packages/core/test/decoder.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

test('NaN weights are refused', async () => {
  const path = writeTinyModel(temporaryFolder());
  const file = join(path, 'model.safetensors');
  const bytes = readFileSync(file);
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  writeFileSync(file, bytes);
  await expect(openDecoder(path, { contextLength: 16, chunk: 4 })).rejects.toMatchObject({ code: 'weight_not_finite' });
});
