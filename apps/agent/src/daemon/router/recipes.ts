/** Recipes: the files of the workspace, checked as they are written, and runs that are started from them. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { UserError } from '@anneal/core/errors';
import {
  type BatchRowTokens,
  firstBatchesRequest,
  firstBatchRowRequest,
  type StudioFirstBatches,
} from '@anneal/core/protocol/batches';
import { dataSourceName, hubEntry } from '@anneal/core/protocol/dataView';
import type { Estimate, LiveEstimate } from '@anneal/core/protocol/estimates';
import { presetNames } from '@anneal/core/protocol/presets';
import { prioritySchema } from '@anneal/core/protocol/queue';
import type { FormSection } from '@anneal/core/protocol/recipeForm';
import type { ImportedProject, RecipeCheck, RecipeVersion, ValidRecipe } from '@anneal/core/protocol/recipes';
import { createRunRequest, overridesSchema } from '@anneal/core/protocol/runs';
import type { ChangedKey, ListedRecipe } from '@anneal/core/protocol/studio';
import { appendItem, parseText, readValue, setValue, sourceOf } from '@anneal/core/recipe/edit';
import { recipeForm } from '@anneal/core/recipe/form';
import { recipeJsonSchema } from '@anneal/core/recipe/jsonSchema';
import { recipeSchema } from '@anneal/core/recipe/schema';
import { z } from 'zod';
import { finish } from '../../service/finish.ts';
import { beginProject, importProject, isPublished } from '../../service/recipes/init.ts';
import { openRecipeText } from '../../service/recipes/open.ts';
import { checkRecipe, validateRecipe } from '../../service/recipes/validate.ts';
import { createRun } from '../../service/runs/create.ts';
import { assertJudgesAllowed } from '../../service/runs/judges.ts';
import { askApart } from '../askApart.ts';
import { changedKeys } from '../recipes/changedKeys.ts';
import { withHost } from '../recipes/estimateOnHost.ts';
import { mostCharacters } from '../recipes/recipeFile.ts';
import { nothing, procedure, router } from './trpc.ts';

const named = z.strictObject({ recipe: z.string().min(1).max(1024) });
const text = z.string().max(mostCharacters);
/** A name as such, of no hidden folder and of none that holds runs. */
const newFolder = z
  .string()
  .regex(/^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63}$/u)
  .refine((name) => name !== 'runs');
const field = z.string().min(1).max(256);
const mappingSchema = z.strictObject({
  type: z.enum(['chat_template', 'sharegpt', 'alpaca', 'completion']),
  field_messages: field.optional(),
  message_property_mappings: z.strictObject({ role: field, content: field }).optional(),
  roles: z.record(field, z.array(field).readonly()).optional(),
  field_instruction: field.optional(),
  field_input: field.optional(),
  field_output: field.optional(),
  field_system: field.optional(),
  field: field.optional(),
});
const version = z.string().regex(/^[0-9a-f]{64}$/);

export const recipes = router({
  list: procedure
    .input(nothing)
    .query(({ ctx }): ListedRecipe[] =>
      ctx.agent.workspace.recipes().map(({ key, modified }) => ({ key, modified: modified.toISOString() })),
    ),

  /** What the document of a recipe is called on the socket where it is edited. */
  open: procedure.input(named).query(async ({ ctx, input }): Promise<{ document: string }> => {
    return { document: await ctx.agent.documents.name(input.recipe) };
  }),

  /** What a recipe may hold, as JSON Schema. */
  schema: procedure.input(nothing).query(() => recipeJsonSchema()),

  /** The same as a form. */
  form: procedure.input(nothing).query((): FormSection[] => recipeForm()),

  /** Every problem of the text with its line, and what the model and the rows tell. */
  check: procedure.input(named.extend({ text })).query(({ ctx, input }): Promise<RecipeCheck> => {
    return checkRecipe({}, { recipe: ctx.agent.documents.path(input.recipe), text: input.text });
  }),

  /** With every default, once it and what it names are in order. @throws InvalidRecipe with every problem */
  validate: procedure
    .input(named.extend({ set: overridesSchema }))
    .query(async ({ ctx, input }): Promise<ValidRecipe> => {
      await ctx.agent.documents.use(input.recipe, (recipe) => recipe.write());
      return validateRecipe({}, { recipe: ctx.agent.documents.path(input.recipe), set: input.set });
    }),

  /** Brings the file up to date with what is edited, and keeps it as a version. */
  save: procedure.input(named).mutation(async ({ ctx, input }): Promise<void> => {
    await ctx.agent.documents.use(input.recipe, (recipe) => recipe.save('saved', ctx.me.name));
  }),

  /** The versions that are kept, newest first. */
  history: procedure.input(named).query(({ ctx, input }): RecipeVersion[] => {
    return ctx.agent.documents.history(input.recipe).list();
  }),

  /** What a version has otherwise than the text that is edited now; null where one of them is not YAML. */
  compare: procedure
    .input(named.extend({ version, text }))
    .query(({ ctx, input }): { text: string; changes: ChangedKey[] | null } => {
      const kept = ctx.agent.documents.history(input.recipe).text(input.version);
      return { text: kept, changes: changedKeys(input.text, kept) ?? null };
    }),

  /** Makes the text what it was in a version, for everybody who edits it. */
  restore: procedure.input(named.extend({ version })).mutation(async ({ ctx, input }): Promise<void> => {
    await ctx.agent.documents.use(input.recipe, (recipe) => recipe.restore(input.version, ctx.me.name));
  }),

  /** Memory, disk, steps and tokens of a run. It ends when nobody listens any more. */
  estimate: procedure.input(named.extend({ set: overridesSchema })).subscription(async function* ({
    ctx,
    input,
    signal,
  }): AsyncGenerator<Estimate> {
    const { documents } = ctx.agent;
    await documents.use(input.recipe, (recipe) => recipe.write());
    const request = { recipe: documents.path(input.recipe), set: input.set };
    const { estimate } = await finish(askApart('estimate', {}, request, signal));
    yield estimate;
  }),

  /**
   * The same of a text that is being written, as far as it is known, until there is nothing more. Data that take long are prepared where
   * `prepare` asks for it.
   */
  liveEstimate: procedure.input(named.extend({ text, prepare: z.boolean() })).subscription(async function* ({
    ctx,
    input,
    signal,
  }): AsyncGenerator<LiveEstimate> {
    const { documents, estimates } = ctx.agent;
    const abort = signal ?? new AbortController().signal;
    for await (const found of estimates.watch(documents.path(input.recipe), input.text, input.prepare, abort)) {
      await ctx.pace.turn(abort);
      yield found.stage === 'estimated' ? await withHost(ctx.agent, found) : found;
    }
  }),

  /** The batches that a run would begin with, once the data are prepared. */
  firstBatches: procedure.input(named.extend(firstBatchesRequest.shape)).subscription(async function* ({
    ctx,
    input: { recipe, count },
  }): AsyncGenerator<StudioFirstBatches> {
    await ctx.agent.documents.use(recipe, (document) => document.write());
    yield await ctx.agent.firstBatches.list(recipe, count);
  }),

  /** A row of those batches token by token. */
  firstBatchRow: procedure
    .input(named.extend({ id: z.string().max(128) }).extend(firstBatchRowRequest.shape))
    .query(({ ctx, input: { recipe, id, ...request } }): Promise<BatchRowTokens> => {
      return ctx.agent.firstBatches.row(recipe, id, request);
    }),

  /**
   * Queues a run, on the device of the recipe or another one, and returns its key. With `text` of that text, unless
   * somebody has changed it since; without, of what is edited now. The file and the history hold it then.
   */
  start: procedure
    .input(
      named.extend({
        text: text.optional(),
        set: overridesSchema,
        device: z.string().max(16).optional(),
        /** By default that of the recipe. */
        name: createRunRequest.shape.name,
        priority: prioritySchema,
      }),
    )
    .mutation(async ({ ctx, input }): Promise<{ run: string }> => {
      const { workspace, scheduler, documents } = ctx.agent;
      const snapshot = await documents.use(input.recipe, async (recipe) => {
        if (input.text !== undefined && recipe.text !== input.text) throw changedMeanwhile(input.recipe);
        return recipe.save('started', ctx.me.name);
      });
      const recipe = documents.path(input.recipe);
      const set = [...input.set, ...(input.device === undefined ? [] : [`device=${input.device}`])];
      const { resolved } = openRecipeText(snapshot, recipe, set);
      workspace.assertWatched(workspace.runsFolder ?? resolved.output_dir, input.recipe);
      assertJudgesAllowed(resolved, ctx.agent.endpoints.open());
      const { path } = await createRun(
        { runsFolder: workspace.runsFolder },
        { recipe, text: snapshot, set, name: input.name },
      );
      const run = workspace.keyOf(path);
      await scheduler.add(run, { priority: input.priority, by: ctx.me.name });
      return { run };
    }),

  /** Writes a data file of the workspace, or what was pulled of a hub, into a recipe as one more data set, read as the mapping says. */
  addDataset: procedure
    .input(named.extend({ ...dataSourceName.pick({ file: true, hub: true }).shape, mapping: mappingSchema }))
    .mutation(async ({ ctx, input: { recipe: key, file, hub, mapping } }): Promise<void> => {
      const { workspace, documents, data } = ctx.agent;
      const entry =
        hub === null
          ? { path: relative(dirname(documents.path(key)), workspace.dataFile(file ?? '')).replaceAll('\\', '/') }
          : hubEntry(data.hub(hub));
      const source = sourceOf({ ...entry, ...mapping });
      await documents.use(key, async (recipe) => {
        const isListed = Array.isArray(readValue(parseText(recipe.text), ['datasets'])?.value);
        const edit = isListed
          ? appendItem(recipe.text, ['datasets'], source)
          : setValue(recipe.text, ['datasets'], `\n  - ${source}`, Object.keys(recipeSchema.shape));
        if (!edit) throw notChangeable(key);
        await recipe.edit(edit, ctx.me.name);
      });
    }),

  /** Translates a recipe of Axolotl, LLaMA-Factory or Unsloth into a new folder, with an account of every key. */
  import: procedure
    .input(z.strictObject({ folder: newFolder, file: z.string().min(1).max(255), text }))
    .mutation(async ({ ctx, input }): Promise<{ recipe: string; account: ImportedProject }> => {
      const folder = join(ctx.agent.workspace.root, input.folder);
      if (existsSync(folder)) throw folderTaken(input.folder);
      const account = await importProject({}, { folder, from: input.file, text: input.text });
      return { recipe: `${input.folder}/recipe.yaml`, account: { ...account, folder: input.folder } };
    }),

  /**
   * A recipe that begins as a preset, in a new folder. `model` is one of the workspace by its key, or a name; `data` is a
   * data file by its key, or the name of a data set of a hub; without it, the rows of the starter project. Returns the
   * recipe's key.
   */
  create: procedure
    .input(
      z.strictObject({
        folder: newFolder,
        preset: z.enum(presetNames),
        model: z.string().min(1).max(1024).optional(),
        data: z.string().min(1).max(1024).optional(),
      }),
    )
    .mutation(async ({ ctx, input: { preset, ...input } }): Promise<{ recipe: string }> => {
      const { workspace } = ctx.agent;
      const folder = join(workspace.root, input.folder);
      if (existsSync(folder)) throw folderTaken(input.folder);
      const model = workspace.models().find(({ path }) => workspace.keyOf(path) === input.model)?.path ?? input.model;
      const isName = input.data === undefined || isPublished(input.data, workspace.root);
      const data = isName ? input.data : workspace.dataFile(input.data as string);
      await beginProject({ baseFolder: workspace.root }, { folder, preset, model, data });
      return { recipe: `${input.folder}/recipe.yaml` };
    }),

  /** The starter project in a new folder: a small model, rows and a recipe. Returns the recipe's key. */
  begin: procedure.input(nothing).mutation(async ({ ctx }): Promise<{ recipe: string }> => {
    const { root } = ctx.agent.workspace;
    const taken = new Set(ctx.agent.workspace.recipes().map(({ key }) => key));
    let name = 'starter';
    for (let number = 2; taken.has(`${name}/recipe.yaml`); number++) name = `starter-${number}`;
    await beginProject({}, { folder: join(root, name) });
    return { recipe: `${basename(name)}/recipe.yaml` };
  }),
});

function notChangeable(key: string): UserError {
  return new UserError({
    what: 'the data sets of the recipe cannot be added to without changing something else',
    where: key,
    next: 'copy the lines into its text, or mend the text first',
    code: 'recipe_not_changeable',
  });
}

function folderTaken(folder: string): UserError {
  return new UserError({
    what: 'there is something of this name already, and nothing is overwritten',
    where: folder,
    next: 'choose another name for the folder',
    code: 'folder_taken',
  });
}

function changedMeanwhile(key: string): UserError {
  return new UserError({
    what: 'somebody has changed the recipe in this moment',
    where: key,
    next: 'look at what it says now, then start again',
    code: 'recipe_changed',
  });
}
