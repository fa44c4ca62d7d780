import type { Command } from 'commander';
import { print, printJson } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { addSetOption } from './openRecipe.ts';

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
  const { openRecipe } = await import('./openRecipe.ts');
  const { resolved, resolvedText } = await openRecipe(path, options.set);
  if (options.json) printJson({ valid: true, recipe: resolved });
  else if (options.resolved) print(resolvedText.trimEnd());
  else print(`${path} is valid`);
}
