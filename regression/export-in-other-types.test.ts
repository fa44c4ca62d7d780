/** Of a model whose rows are no multiple of 256, `export --gguf q4_k_m` wrote mostly Q5_0 under the name Q4_K_M, and said nothing. */
import { join } from 'node:path';
import { exportGguf } from '@anneal/core/export/gguf';
import { openModel } from '@anneal/core/models/open';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { goldenPath } from '../packages/core/test/fixtures.ts';

test('types that stand in for the one that was asked for are said', async () => {
  const folder = temporaryFolder();
  const model = openModel(goldenPath('smollm2'));
  const options = { model, adapter: null, name: 'tiny' } as const;
  const { warnings } = await exportGguf(join(folder, 'gguf'), { ...options, types: ['q4_k_m', 'f16'] });
  model.close();
  expect(warnings[0]).toMatch(
    /^Q4_K_M: the rows of some matrices are no multiple .* \w+ takes the place of Q4_K \(\d+ ×\)/,
  );
  expect(warnings.join('\n')).not.toContain('F16:');
});
