/** `anneal inspect --ids` of a row of 200,000 tokens handed every width to one call of Math.max, which takes some 120,000 arguments. */
import { expect, test } from 'vitest';
import { formatTable } from '../apps/agent/src/terminal/table.ts';

test('a table may have any number of rows', () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => [String(i)]);
  expect(
    formatTable([{ title: 'AT', align: 'right' }], rows)
      .split('\n')
      .at(-1),
  ).toBe('199999');
});
