/**
 * The config.json of an exported Gemma 4 said `"final_logit_softcapping": 30` where the model's said 30.0: transformers 5.17, which takes a float
 * there and no int, did not load the folder.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportMerged, mergedBytes } from '../packages/core/src/export/merged.ts';
import { configText } from '../packages/core/src/models/configText.ts';
import { goldenModel, temporaryFolder } from '../packages/core/test/fixtures.ts';

test('a float that is whole stays one in an export, and its size is known before', async () => {
  const folder = join(temporaryFolder(), 'merged');
  const model = goldenModel('gemma4');
  const merged = { model, adapter: null, dtype: 'F32' } as const;
  const { files } = await exportMerged(folder, merged);
  const text = readFileSync(join(folder, 'config.json'), 'utf8');
  expect(text).toContain('"final_logit_softcapping": 30.0,');
  expect(text).toContain('"sliding_window": 16,');
  expect(mergedBytes(merged)).toBe(files.reduce((sum, { bytes }) => sum + bytes, 0));
});

test('so are those in lists, of Gemma 3n and of Granite 4', () => {
  expect(configText(goldenModel('granite4-h').configJson)).toMatch(/"time_step_limit": \[\s+0\.0,\s+\{/);
  const text = configText(goldenModel('gemma3n').configJson);
  expect(text).toContain('"altup_coef_clip": 120.0,');
  expect(text).toMatch(/"activation_sparsity_pattern": \[\s+0\.95,\s+0\.0,\s+0\.0,\s+0\.0\s+\],/);
  expect(text).toMatch(/"intermediate_size": \[\s+40,/);
});

test('only numbers of these fields are written so', () => {
  const config = { routed_scaling_factor: 2, rms_norm_eps: 1e-6, vocab_size: 5, note: '"routed_scaling_factor": 3' };
  const text = configText({ ...config, inner: { final_logit_softcapping: 4 } });
  expect(text).toContain('"routed_scaling_factor": 2.0,');
  expect(text).toContain('"final_logit_softcapping": 4.0');
  expect(JSON.parse(text)).toEqual({ ...config, inner: { final_logit_softcapping: 4 } });
});
