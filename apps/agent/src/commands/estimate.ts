import type { Command } from 'commander';
import { exitCodeOfError } from '../exitCodes.ts';
import { printJson } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { addSetOption } from './setOption.ts';
import { useCase } from './useCases.ts';

export function define(command: Command): void {
  addExamples(
    addSetOption(command.argument('<recipe>', 'the recipe, a YAML file')).action(estimate),
    'anneal estimate recipe.yaml',
    'anneal estimate recipe.yaml --set sequence_len=4096 --set activations=recompute',
  );
}

async function estimate(path: string, { set, json }: { set?: readonly string[]; json?: boolean }): Promise<void> {
  const [estimateRun, { printFit, printMemory }, { finishPreparing }] = await Promise.all([
    useCase('estimateRun'),
    import('../terminal/estimate.ts'),
    import('../terminal/preparation.ts'),
  ]);
  const { estimate: found } = await finishPreparing(estimateRun({}, { recipe: path, set }));
  if (found.error) process.exitCode = exitCodeOfError(found.error.code);
  if (json) return printJson(found);
  printMemory(found);
  printFit(found);
}
