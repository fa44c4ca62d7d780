import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goldenPath } from '../../../test/fixtures.ts';
import { readConfig } from '../index.ts';
import { ggufPart } from './gguf.ts';

const refusalOf = (name: string, changes: object): string | null =>
  ggufPart.refusal(
    readConfig({ ...JSON.parse(readFileSync(join(goldenPath(name), 'config.json'), 'utf8')), ...changes }, null, name),
  );

test('models that llama.cpp would compute otherwise are not written', () => {
  expect(refusalOf('granite4-h', {})).toBeNull();
  expect(refusalOf('granite4-h', { mamba_n_groups: 2 })).toContain('mamba_n_groups');
  expect(refusalOf('granite4-h', { mamba_expand: 1, mamba_n_heads: 4 })).toContain('mamba_expand: 2');
  expect(refusalOf('granite4-moe', {})).toBeNull();
  expect(refusalOf('granite4', {})).toBeNull();
  expect(refusalOf('granite4', { position_embedding_type: 'nope' })).toContain('position_embedding_type');
});
