/** Making rows by recipes of the workspace, as jobs. */

import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import {
  type ListedSynthesis,
  type RejectedRows,
  rejectedRowsRequest,
  saveSynthesisRequest,
  synthesisRequest,
} from '@anneal/core/protocol/synthesis';
import { synthesisJsonSchema } from '@anneal/core/recipe/jsonSchema';
import { checkSynthesis } from '../../service/recipes/validate.ts';
import { readRejected } from '../../service/synthesis/rejected.ts';
import { startSynthesis } from '../synthesis/jobs.ts';
import { saveSynthesisText, synthesisPath, synthesisText } from '../synthesis/recipeText.ts';
import { nothing, procedure, router } from './trpc.ts';

export const synthesis = router({
  /** The recipes, newest first. */
  list: procedure
    .input(nothing)
    .query(({ ctx }): ListedSynthesis[] =>
      ctx.agent.workspace.synthesisRecipes().map(({ key, modified }) => ({ key, modified: modified.toISOString() })),
    ),

  text: procedure
    .input(saveSynthesisRequest.pick({ recipe: true }))
    .query(({ ctx, input }): { text: string } => ({ text: synthesisText(ctx.agent.workspace, input.recipe) })),

  /** What a recipe may hold, as JSON Schema. */
  schema: procedure.input(nothing).query(() => synthesisJsonSchema()),

  /** Every problem of the text with its line. */
  check: procedure
    .input(saveSynthesisRequest.pick({ recipe: true, text: true }))
    .query(
      ({ ctx, input }): Promise<RecipeCheck> =>
        checkSynthesis({}, { ...input, recipe: synthesisPath(ctx.agent.workspace, input.recipe) }),
    ),

  save: procedure
    .input(saveSynthesisRequest)
    .mutation(({ ctx, input }): void => saveSynthesisText(ctx.agent.workspace, input)),

  /** Begins a job that makes the rows of a recipe, or goes on with them; with `dryRun` one that says what that takes. */
  start: procedure
    .input(synthesisRequest)
    .mutation(({ ctx, input }): { job: string } => ({ job: startSynthesis(ctx.agent, input) })),

  /** What was left out when a data file was made. */
  rejected: procedure
    .input(rejectedRowsRequest)
    .query(
      ({ ctx, input }): Promise<RejectedRows> =>
        readRejected({}, { ...input, file: ctx.agent.workspace.dataFile(input.file) }),
    ),
});
