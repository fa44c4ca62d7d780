// The record of an export, and so the studio, showed beside every GGUF file what was said of one of them.
import { expect, test } from 'vitest';
import { entriesOf } from '../apps/agent/src/service/exports/entries.ts';
import type { ModelSource } from '../apps/agent/src/service/models/source.ts';

test('each GGUF file has the warnings of its type, and those of all', () => {
  const warnings = ['Q2_K: others take its place.', 'iq3_xxs has few bits.', 'The model has no tokenizer.'];
  const files = ['Q8_0', 'Q2_K', 'IQ3_XXS'].map((type) => ({ path: `/to/gguf/tiny-${type}.gguf`, bytes: 1 }));
  const source = { name: 'tiny', run: null } as ModelSource;
  const wanted = { types: ['q8_0', 'q2_k', 'iq3_xxs'], adapterScale: 1, imatrix: false, imatrixTokens: 1 } as const;
  const entries = entriesOf([{ form: 'gguf', path: '/to/gguf', files, warnings }], '/to', source, wanted);
  expect(entries.map((entry) => [entry.path, entry.warnings])).toEqual([
    ['gguf/tiny-Q8_0.gguf', [warnings[2]]],
    ['gguf/tiny-Q2_K.gguf', [warnings[0], warnings[2]]],
    ['gguf/tiny-IQ3_XXS.gguf', [warnings[1], warnings[2]]],
  ]);
});
