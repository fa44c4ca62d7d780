import * as z from 'zod';
import { adapter } from './sections/adapter.ts';
import { batches } from './sections/batches.ts';
import { data } from './sections/datasets.ts';
import { evaluation } from './sections/evaluation.ts';
import { machine } from './sections/machine.ts';
import { model } from './sections/model.ts';
import { optimization } from './sections/optimization.ts';
import { preference } from './sections/preference.ts';
import { rollouts } from './sections/rollouts.ts';

/** The keys of a recipe in the order in which documents, references and resolved recipes list them. Browser-safe. */
export const sections = [
  { title: 'Model', keys: model },
  { title: 'Adapter', keys: adapter },
  { title: 'Preferences', keys: preference },
  { title: 'Answers of its own', keys: rollouts },
  { title: 'Data', keys: data },
  { title: 'Batches', keys: batches },
  { title: 'Optimization', keys: optimization },
  { title: 'Evaluation and checkpoints', keys: evaluation },
  { title: 'Machine and files', keys: machine },
] as const;

/** Strict: an unknown key is an error. Key names are Axolotl's wherever it has the thing. */
export const recipeSchema = z.strictObject({
  ...model,
  ...adapter,
  ...preference,
  ...rollouts,
  ...data,
  ...batches,
  ...optimization,
  ...evaluation,
  ...machine,
});

/** A recipe as a person writes it: valid, with only the keys that were written. */
export type Recipe = z.input<typeof recipeSchema>;
export type RecipeKey = keyof Recipe;
export type Dataset = Recipe['datasets'][number];
