/** What is asked of recipes and of their data, of another agent. */
import { firstBatchesSchema, type StudioFirstBatches } from '@anneal/core/protocol/batches';
import type { Estimate } from '@anneal/core/protocol/estimates';
import type { OpenedFirstBatches, RecipeUseCases } from '../commands/useCases.ts';
import { reporting } from '../service/reporting.ts';
import type { Connection } from './connection.ts';
import { openDataThere } from './data.ts';
import { anyRecipeThere, recipeThere } from './names.ts';
import { notRemote } from './notRemote.ts';

export function remoteRecipes(connection: Connection): RecipeUseCases {
  const { ask, first } = connection;
  return {
    async validateRecipe(_, { recipe, set }) {
      const key = await anyRecipeThere(connection, recipe);
      return ask((api) => api.recipes.validate.query({ recipe: key, set }));
    },
    estimateRun: (_, { recipe, set }) =>
      reporting(async () => {
        const key = await recipeThere(connection, recipe);
        const estimate = await first<Estimate>((api, listener) =>
          api.recipes.estimate.subscribe({ recipe: key, set }, listener),
        );
        return { estimate };
      }),
    openFirstBatches: (_, { recipe, set = [] }) =>
      reporting(async () => {
        if (set.length > 0) {
          throw notRemote(
            'the agent shows the batches as the recipe says',
            '--set',
            'leave it out, or change the recipe there',
          );
        }
        return firstBatchesThere(connection, await recipeThere(connection, recipe));
      }),
    openData: (_, request) => openDataThere(connection, request),
  };
}

/** Files are named as they lie in the folder that the agent serves, as far as they do. */
function firstBatchesThere({ ask, first }: Connection, recipe: string): OpenedFirstBatches {
  let id = '';
  return {
    async list({ count }) {
      const found = await first<StudioFirstBatches>((api, listener) =>
        api.recipes.firstBatches.subscribe({ recipe, count }, listener),
      );
      const { batches, ...rest } = found;
      id = found.id;
      return firstBatchesSchema.parse({
        ...rest,
        batches: batches.map((batch) => ({
          ...batch,
          rows: batch.rows.map(({ key, ...row }) => ({ ...row, file: key ?? row.file })),
        })),
      });
    },
    row: (request) => ask((api) => api.recipes.firstBatchRow.query({ recipe, id, ...request })),
    close: async () => undefined,
  };
}
