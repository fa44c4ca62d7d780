/** Recipes: the files of the workspace, checked as they are written, and runs that are started from them. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { Estimate } from '@anneal/core/protocol/estimates';
import { prioritySchema } from '@anneal/core/protocol/queue';
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import type { ListedRecipe, RecipeText } from '@anneal/core/protocol/studio';
import { recipeJsonSchema } from '@anneal/core/recipe/jsonSchema';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { z } from 'zod';
import { runApart } from '../../runner/runApart.ts';
import { finish } from '../../service/finish.ts';
import { beginProject } from '../../service/recipes/init.ts';
import { openRecipe } from '../../service/recipes/open.ts';
import { checkRecipe } from '../../service/recipes/validate.ts';
import { createRun } from '../../service/runs/create.ts';
import { hashOf } from '../auth/secrets.ts';
import { procedure, router } from './trpc.ts';

const named = z.object({ recipe: z.string().min(1).max(1024) });
const text = z.string().max(256 << 10);

export const recipes = router({
  list: procedure.query(({ ctx }): ListedRecipe[] =>
    ctx.agent.workspace.recipes().map(({ key, modified }) => ({ key, modified: modified.toISOString() })),
  ),

  read: procedure.input(named).query(({ ctx, input }): RecipeText => read(ctx.agent.workspace.recipe(input.recipe))),

  /** What a recipe may hold, as JSON Schema. */
  schema: procedure.query(() => recipeJsonSchema()),

  /** Every problem of the text with its line, and what the model and the rows tell. */
  check: procedure.input(named.extend({ text })).query(({ ctx, input }): Promise<RecipeCheck> => {
    return checkRecipe({}, { recipe: ctx.agent.workspace.recipe(input.recipe), text: input.text });
  }),

  /** Writes the file, unless somebody else has since it was read as `sha256`. */
  save: procedure
    .input(named.extend({ text, sha256: z.string() }))
    .mutation(({ ctx, input }): Pick<RecipeText, 'sha256'> => {
      const path = ctx.agent.workspace.recipe(input.recipe);
      if (read(path).sha256 !== input.sha256) {
        throw new UserError({
          what: 'the file was changed by somebody else since you opened it',
          where: input.recipe,
          next: 'copy what you wrote, open the recipe again, and put it in',
          code: 'recipe_changed',
        });
      }
      replaceFile(path, input.text, { sync: true });
      return { sha256: hashOf(input.text) };
    }),

  /** Memory, disk, steps and tokens of a run. It ends when nobody listens any more. */
  estimate: procedure.input(named).subscription(async function* ({ ctx, input, signal }): AsyncGenerator<Estimate> {
    const path = ctx.agent.workspace.recipe(input.recipe);
    const { estimate } = await finish(runApart('estimate', {}, { recipe: path }, signal));
    yield estimate;
  }),

  /** Queues a run of the file as it is, on the device of the recipe or another one. Returns the run's key. */
  start: procedure
    .input(named.extend({ device: z.string().max(16).optional(), priority: prioritySchema }))
    .mutation(async ({ ctx, input }): Promise<{ run: string }> => {
      const { workspace, scheduler } = ctx.agent;
      const recipe = workspace.recipe(input.recipe);
      const set = input.device === undefined ? [] : [`device=${input.device}`];
      const { output_dir: folder } = (await openRecipe(recipe, set)).resolved;
      workspace.assertWatched(workspace.runsFolder ?? folder, input.recipe);
      const { path } = await createRun({ runsFolder: workspace.runsFolder }, { recipe, set });
      const run = workspace.keyOf(path);
      await scheduler.add(run, { priority: input.priority });
      return { run };
    }),

  /** The starter project in a new folder: a small model, rows and a recipe. Returns the recipe's key. */
  begin: procedure.mutation(async ({ ctx }): Promise<{ recipe: string }> => {
    const { root } = ctx.agent.workspace;
    const taken = new Set(ctx.agent.workspace.recipes().map(({ key }) => key));
    let name = 'starter';
    for (let number = 2; taken.has(`${name}/recipe.yaml`); number++) name = `starter-${number}`;
    await beginProject({}, { folder: join(root, name) });
    return { recipe: `${basename(name)}/recipe.yaml` };
  }),
});

function read(path: string): RecipeText {
  const written = readFileSync(path, 'utf8');
  return { text: written, sha256: hashOf(written) };
}
