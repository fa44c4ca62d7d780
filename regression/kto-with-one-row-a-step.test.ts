// KTO estimates the divergence from each prompt with the answer of another row. With one row a step it took the row's own answer,
// which is another quantity, and said nothing.
import { expect, test } from 'vitest';
import { preferenceFindings } from '../packages/core/src/recipe/preferenceCombinations.ts';
import type { Recipe } from '../packages/core/src/recipe/schema.ts';

const found = (changes: Partial<Recipe>): string[] =>
  preferenceFindings({ rl: 'kto', micro_batch_size: 1, gradient_accumulation_steps: 1, ...changes }).map(
    ({ what }) => what,
  );

test('is refused', () => {
  expect(found({})).toEqual([expect.stringContaining('a step has one row')]);
  for (const changes of [
    { gradient_accumulation_steps: 2 },
    { micro_batch_size: 2 },
    { sample_packing: true },
    { kto_loss_type: 'apo_zero_unpaired' },
  ] as const) {
    expect(found(changes)).toEqual([]);
  }
});
