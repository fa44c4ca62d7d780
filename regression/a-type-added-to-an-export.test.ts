/**
 * An export was refused as a whole once its gguf folder was there: one more type meant all of them again. Files were called
 * after "recipe", as nearly every recipe is.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const model = join(import.meta.dirname, '../apps/agent/starter/model');

const args = (types: string): string[] => ['export', model, '--gguf', types, '--to', 'out'];

test('a type that is not there is added, one that is there is refused and left as it was', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  expect(await anneal(...args('q8_0'))).toMatchObject({ code: 0 });
  const gguf = join(folder, 'out/gguf');
  const before = readFileSync(join(gguf, 'model-Q8_0.gguf'));
  expect(await anneal(...args('q4_k_m'))).toMatchObject({ code: 0, stderr: '' });
  expect(readdirSync(gguf).sort()).toEqual(['model-Q4_K_M.gguf', 'model-Q8_0.gguf']);
  const again = await anneal(...args('q6_k,q8_0'));
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('an export replaces nothing') });
  expect(readdirSync(gguf).sort()).toEqual(['model-Q4_K_M.gguf', 'model-Q8_0.gguf']);
  expect(readFileSync(join(gguf, 'model-Q8_0.gguf'))).toEqual(before);
});
