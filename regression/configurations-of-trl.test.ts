// A configuration of TRL's command line has `model_name_or_path`, as recipes of LLaMA-Factory have: it became a recipe with
// LLaMA-Factory's defaults, a LoRA where TRL trains every weight.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importRecipeFile } from '../packages/core/src/recipe/import/index.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const imported = (text: string): Promise<unknown> => {
  const path = join(temporaryFolder(), 'recipe.yaml');
  writeFileSync(path, `model_name_or_path: m\n${text}`);
  return importRecipeFile(path);
};

test('is said to be one', async () => {
  const refusal = { code: 'import_unsupported', what: expect.stringContaining('TRL') };
  await expect(imported('dataset_name: owner/name\nmax_length: 512\n')).rejects.toMatchObject(refusal);
  await expect(imported('use_peft: true\n')).rejects.toMatchObject(refusal);
});

test('LLaMA-Factory is still read, and what `data_seed` is for is said', async () => {
  expect(await imported('finetuning_type: lora\ndataset: mine\ndata_seed: 7\n')).toMatchObject({
    kind: 'llama-factory',
    untranslated: [],
  });
});
