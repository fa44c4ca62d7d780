import { expect, test } from 'vitest';
import { applyEdit } from './edit.ts';
import { excludedBy } from './exclusive.ts';
import { proposedEdits, type Settings } from './propose.ts';
import { recipeSchema } from './schema.ts';

const order = Object.keys(recipeSchema.shape);
const after = (text: string, settings: Settings): string | undefined =>
  proposedEdits(text, settings, order, excludedBy)?.edits.reduce(applyEdit, text);

const text = `# of the harbor
base_model: model
datasets:
  - path: rows.jsonl # all of them
    train_on_eos: none
learning_rate: 1e-2 # bold
`;

test('several values are written at their places, and comments stay', () => {
  const settings = { learning_rate: 0.0025, max_grad_norm: 1, 'datasets.0.train_on_eos': 'turn' };
  const changed = after(text, settings);
  expect(changed).toContain('learning_rate: 0.0025 # bold\n');
  expect(changed).toContain('max_grad_norm: 1\n');
  expect(changed).toContain('    train_on_eos: turn\n');
  expect(changed).toContain('  - path: rows.jsonl # all of them\n');
  expect(changed).not.toContain('none');
});

test('what the recipe says already is left alone, as it is written', () => {
  expect(proposedEdits(text, { learning_rate: 0.01 }, order, excludedBy)).toEqual({ edits: [], takenOut: [] });
});

test('a key that excludes a proposed one is taken out', () => {
  const written = `${text}warmup_steps: 10\n`;
  expect(after(written, { warmup_ratio: 0.05 })).not.toContain('warmup_steps');
  expect(proposedEdits(written, { warmup_ratio: 0.05 }, order, excludedBy)?.takenOut).toEqual(['warmup_steps']);
  // Null excludes nothing, so nothing is taken out.
  expect(proposedEdits(written, { warmup_ratio: null }, order, excludedBy)?.takenOut).toEqual([]);
});

test('nothing is changed where one of the values has no place', () => {
  expect(after(text, { learning_rate: 1, 'trl.num_generations': 8 })).toBeUndefined();
  expect(after('datasets: [', { learning_rate: 1 })).toBeUndefined();
});
