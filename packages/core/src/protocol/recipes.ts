/** What a client asks of recipes, and what it is told. Browser-safe. */
import { z } from 'zod';
import { warningSchema } from './events.ts';
import { pullRequest } from './models.ts';
import { presetNames } from './presets.ts';
import { overridesSchema } from './runs.ts';

export const recipeRequest = z.strictObject({
  /** Path of the recipe. */
  recipe: z.string().min(1),
  set: overridesSchema,
});
export type RecipeRequest = z.input<typeof recipeRequest>;

export const checkRecipeRequest = recipeRequest.extend({
  /** Instead of what the file holds. */
  text: z.string().optional(),
});
export type CheckRecipeRequest = z.input<typeof checkRecipeRequest>;

const keyPathSchema = z.array(z.union([z.string(), z.number()])).readonly();

/** One mistake and its place: `where` is `file:line:column`, or the option that set the value. */
export const recipeProblemSchema = z.object({
  path: keyPathSchema,
  code: z.string(),
  what: z.string(),
  next: z.string(),
  where: z.string(),
  line: z.int().optional(),
  column: z.int().optional(),
  endLine: z.int().optional(),
  endColumn: z.int().optional(),
  /** What to write from there to the end, where one thing is likely. */
  fix: z.string().optional(),
  /** Keys of which one can be taken out to mend it. */
  removable: z.array(keyPathSchema).readonly().optional(),
});

export const missingSourceSchema = z.object({
  of: z.enum(['model', 'data']),
  /** As the recipe names it. */
  name: z.string(),
  how: z.string(),
  /** What gets it. */
  request: pullRequest,
});
export type MissingSource = z.infer<typeof missingSourceSchema>;

/** What is known of a recipe and of what it names before anything is started. */
export const recipeCheckSchema = z.object({
  problems: z.array(recipeProblemSchema),
  /** What `train` would warn of, as far as the model alone tells. */
  warnings: z.array(warningSchema),
  /** What has to be pulled first, the model before a data set, which is no mistake of the recipe. */
  pull: missingSourceSchema.nullable(),
  /** Every key with its value, defaults too; null where the recipe itself is not in order. */
  values: z.record(z.string(), z.unknown()).nullable(),
});
export type RecipeCheck = z.infer<typeof recipeCheckSchema>;

export const validRecipeSchema = recipeCheckSchema.omit({ problems: true, values: true }).extend({
  /** What it is a recipe of. */
  kind: z.enum(['training', 'synthesis']),
  /** Every key with its value. */
  recipe: z.record(z.string(), z.unknown()),
  /** The text of recipe.resolved.yaml. */
  resolvedText: z.string(),
});
export type ValidRecipe = z.infer<typeof validRecipeSchema>;

export const initRequest = z.strictObject({
  /** Created where it is not there. */
  folder: z.string().min(1).default('.'),
  /** With neither, the starter project: its model, its rows and a recipe for them. */
  model: z.string().min(1).optional(),
  data: z.string().min(1).optional(),
  /** What the recipe begins as; with one, there is no starter project. */
  preset: z.enum(presetNames).optional(),
});
export type InitRequest = z.input<typeof initRequest>;

export const importRecipeRequest = z.strictObject({
  folder: z.string().min(1).default('.'),
  /** The recipe of Axolotl, LLaMA-Factory or Unsloth. */
  from: z.string().min(1),
  /** Instead of what that file holds. */
  text: z.string().optional(),
});
export type ImportRecipeRequest = z.input<typeof importRecipeRequest>;

/** What was written below the folder. */
export const projectSchema = z.object({ folder: z.string(), files: z.array(z.string()) });
export type Project = z.infer<typeof projectSchema>;

export const importedProjectSchema = projectSchema.extend({
  kind: z.enum(['axolotl', 'llama-factory', 'unsloth']),
  translated: z.array(z.object({ from: z.string(), to: z.string(), note: z.string().optional() })).readonly(),
  untranslated: z.array(z.object({ key: z.string(), value: z.unknown(), reason: z.string() })).readonly(),
  implied: z.array(z.object({ key: z.string(), value: z.unknown(), note: z.string() })).readonly(),
  problems: z.array(recipeProblemSchema),
});
export type ImportedProject = z.infer<typeof importedProjectSchema>;

/** Why a version of a recipe was kept: at the beginning, by somebody, or because it came from outside of the studio. */
export const recipeVersionSchema = z.object({
  /** ISO 8601, UTC. */
  at: z.string(),
  /** Of its text. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  why: z.enum(['opened', 'edited', 'saved', 'started', 'restored', 'outside']),
  /** Names of those who have edited since the version before, as they call themselves. */
  by: z.array(z.string()),
});
export type RecipeVersion = z.infer<typeof recipeVersionSchema>;
