import type { Command } from 'commander';
import { addExamples } from './examples.ts';

export interface InitOptions {
  model?: string;
  data?: string;
  from?: string;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    command
      .argument('[folder]', 'where to begin; created when it is not there', '.')
      .option(
        '--model <model>',
        'write a recipe for this model: a short name, a Hugging Face name, a folder or .gguf file',
      )
      .option('--data <file>', 'write a recipe for these rows: JSONL, JSON, CSV, TSV, Parquet or text')
      .option('--from <recipe>', 'translate a recipe of Axolotl or LLaMA-Factory')
      .action(async (folder: string, options: InitOptions) => {
        const { init } = await import('../init/init.ts');
        await init(folder, options);
      }),
    'anneal init my-first-run',
    'anneal init --model smollm2-135m --data rows.jsonl',
    'anneal init --from axolotl.yaml',
  );
}
