import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { addSetOption } from './setOption.ts';
import { addSourceOptions } from './sourceOptions.ts';

export interface EvalOptions {
  set?: readonly string[];
  runsDir: string;
  checkpoint?: string;
  base?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSetOption(
      addSourceOptions(
        command.argument('<source>', 'a run (id, path, "latest"), or a recipe: then its model before any training'),
      ),
    )
      .option('--base', 'of a run: the model as it was before training')
      .action(async (source: string, options: EvalOptions) => {
        const { evaluateSource } = await import('../evaluate/evaluateSource.ts');
        await evaluateSource(source, options);
      }),
    'anneal eval latest',
    'anneal eval latest --base',
    "anneal eval latest --set val_set_size=0 --set 'test_datasets=[{path: held-out.jsonl}]'",
  );
}
