import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { fromAddress, pathFrom, toAddress, toYaml } from './mappingText.ts';

const mapping = {
  type: 'chat_template',
  field_messages: 'My talk: all',
  message_property_mappings: { role: 'speaker', content: 'text' },
} as const;

it('a mapping is the same again after the address and after YAML', () => {
  expect(fromAddress(toAddress(mapping))).toEqual(mapping);
  expect(parse(toYaml({ path: 'data/true.csv' }, mapping))).toEqual([{ path: 'data/true.csv', ...mapping }]);
  expect(fromAddress('datasets.0.type=alpaca')).toBeUndefined();
});

it('a path begins at the folder of the recipe', () => {
  expect(pathFrom('harbour/recipe.yaml', 'harbour/data/rows.csv')).toBe('data/rows.csv');
  expect(pathFrom('a/b/recipe.yaml', 'a/c/rows.csv')).toBe('../c/rows.csv');
  expect(pathFrom('recipe.yaml', 'rows.csv')).toBe('rows.csv');
});
