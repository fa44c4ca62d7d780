import type { Command } from 'commander';
import { print } from '../terminal/print.ts';
import { addExamples } from './examples.ts';

export function define(command: Command): void {
  addExamples(
    command.option('--compact', 'on one line').action(async (options: { compact?: boolean }) => {
      const { recipeJsonSchema } = await import('@anneal/core/recipe/jsonSchema');
      print(JSON.stringify(recipeJsonSchema(), null, options.compact ? 0 : 2));
    }),
    'anneal schema > recipe.schema.json',
  );
}
