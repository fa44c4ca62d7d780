/** What is asked of recipes and of their data, of another agent. */
import type { Estimate } from '@anneal/core/protocol/estimates';
import type { RecipeUseCases } from '../commands/useCases.ts';
import { reporting } from '../service/reporting.ts';
import type { Connection } from './connection.ts';
import { openDataThere } from './data.ts';
import { recipeThere } from './names.ts';

export function remoteRecipes(connection: Connection): RecipeUseCases {
  const { ask, first } = connection;
  return {
    async validateRecipe(_, { recipe, set }) {
      const key = await recipeThere(connection, recipe);
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
    openData: (_, request) => openDataThere(connection, request),
  };
}
