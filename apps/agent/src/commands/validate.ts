import { shellWord } from '@anneal/core/shellWord';
import type { Command } from 'commander';
import { missingText } from '../terminal/missingSource.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { addSetOption } from './setOption.ts';
import { useCase } from './useCases.ts';

interface Options {
  set?: readonly string[];
  resolved?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSetOption(command.argument('<recipe>', 'the recipe, a YAML file, of training or of `anneal synthesize`'))
      .option('--resolved', 'print the recipe with every default written out')
      .action(validate),
    'anneal validate recipe.yaml',
    'anneal validate recipe.yaml --set learning_rate=1e-4 --resolved',
  );
}

async function validate(path: string, { set, json, resolved }: Options): Promise<void> {
  const [validateRecipe, { printEvent }] = await Promise.all([
    useCase('validateRecipe'),
    import('../terminal/runProgress.ts'),
  ]);
  const { kind, recipe, resolvedText, warnings, pull } = await validateRecipe({}, { recipe: path, set });
  if (json) return printJson({ valid: true, kind, recipe, warnings, ...(pull && { missing: pull }) });
  if (resolved) print(resolvedText.trimEnd());
  else print(`${path} is valid${kind === 'synthesis' ? ', a recipe to synthesize rows' : ''}`);
  for (const warning of warnings) printEvent(warning, remark);
  if (pull) remark(missingText(pull));
  else if (kind === 'training' && !resolved)
    remark(`to check every row, the model and the memory, too: anneal estimate ${shellWord(path)}`);
}
