import { agent } from './connection.ts';

/** What a run is made of, and the recipe that it came from. */
export const recipeOfRunQuery = (run: string) => ({
  queryKey: ['recipe', run],
  queryFn: () => agent().runs.recipe.query({ run }),
});
