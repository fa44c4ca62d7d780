import type { Command } from 'commander';
import { printJson, printJsonLine } from '../terminal/print.ts';
import { addExamples } from './examples.ts';

export function define(command: Command): void {
  addExamples(
    command.option('--compact', 'on one line').action(async (options: { compact?: boolean }) => {
      const { recipeJsonSchema } = await import('@anneal/core/recipe/jsonSchema');
      const schema = recipeJsonSchema();
      if (options.compact) printJsonLine(schema);
      else printJson(schema);
    }),
    'anneal schema > recipe.schema.json',
  );
}
