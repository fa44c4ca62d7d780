// `anneal validate rows.jsonl` printed thousands of lines, the first of them out of sight.

import { InvalidRecipe } from '@anneal/core/recipe/problem';
import { checkRecipe } from '@anneal/core/recipe/read';
import { expect, test } from 'vitest';

test('a file of rows in the place of a recipe is refused in a few lines', () => {
  const checked = checkRecipe('{"messages": [{"role": "user"}]}\n'.repeat(300), 'rows.jsonl');
  if (checked.ok) throw new Error('problems were expected');
  const { what, problems } = new InvalidRecipe(checked.problems);
  const lines = what.split('\n');
  expect(lines).toHaveLength(22);
  expect(lines[1]).toContain('rows.jsonl:2:1');
  expect(lines.at(-1)).toBe(`  … and ${problems.length - 20} more`);
});
