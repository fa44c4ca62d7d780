// A model whose config.json names code of its own (auto_map) was trained as its model type says, without a word that the code is not run.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModel } from '../packages/core/src/models/open.ts';
import { modelWarnings } from '../packages/core/src/trainer/modelWarnings.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

test('is not run, and that is said', () => {
  const path = writeTinyModel(temporaryFolder());
  const config = join(path, 'config.json');
  const codes = (): string[] => modelWarnings(openModel(path)).map(({ code }) => code);
  expect(codes()).not.toContain('model_code_not_run');
  const auto_map = { AutoModelForCausalLM: 'modeling_own.OwnForCausalLM' };
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), auto_map }));
  expect(modelWarnings(openModel(path))).toContainEqual(
    expect.objectContaining({
      code: 'model_code_not_run',
      where: config,
      message: expect.stringContaining('auto_map'),
    }),
  );
});
