import type { Command } from 'commander';
import { print, printJson, remark } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { addSetOption } from './setOption.ts';

interface Options {
  set?: readonly string[];
  resolved?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSetOption(command.argument('<recipe>', 'the recipe, a YAML file'))
      .option('--resolved', 'print the recipe with every default written out')
      .action(validate),
    'anneal validate recipe.yaml',
    'anneal validate recipe.yaml --set learning_rate=1e-4 --resolved',
  );
}

async function validate(path: string, options: Options): Promise<void> {
  const [{ openRecipe }, { checkSources }, { InvalidRecipe }, { printEvent }] = await Promise.all([
    import('../service/recipes/open.ts'),
    import('../recipeCheck/checkSources.ts'),
    import('@anneal/core/recipe/problem'),
    import('../terminal/runProgress.ts'),
  ]);
  const recipe = await openRecipe(path, options.set);
  const { problems, warnings, pull } = await checkSources(recipe);
  if (problems.length > 0) throw new InvalidRecipe(problems);
  const { resolved, resolvedText } = recipe;
  if (options.json) return printJson({ valid: true, recipe: resolved, warnings, ...(pull && { modelMissing: pull }) });
  if (options.resolved) print(resolvedText.trimEnd());
  else print(`${path} is valid`);
  for (const warning of warnings) printEvent(warning, remark);
  if (pull) remark(`the model is not here yet; ${pull}`);
}
