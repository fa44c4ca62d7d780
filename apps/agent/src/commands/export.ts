import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { addSourceOptions, sourceHelp } from './sourceOptions.ts';

export interface ExportOptions {
  runsDir: string;
  checkpoint?: string;
  to?: string;
  lora?: boolean;
  merged?: string | true;
  gguf?: string;
  ollama?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSourceOptions(command.argument('<source>', sourceHelp))
      .option('--to <folder>', 'where to write; of a run its export folder')
      .option('--lora', 'the adapter as a PEFT folder')
      .option('--merged [dtype]', 'the whole model as a Hugging Face folder: bf16 (default), f16 or f32')
      .option(
        '--gguf <types>',
        'GGUF files for llama.cpp, several with commas: f32, f16, bf16, q8_0, q6_k, q5_k_m, q5_k_s, q5_0, q4_k_m, q4_k_s, q4_0, q3_k_m, q2_k',
      )
      .option('--ollama', 'a Modelfile beside the first GGUF file')
      .action(async (source: string, options: ExportOptions) => {
        const { exportSource } = await import('../export/exportSource.ts');
        await exportSource(source, options);
      }),
    'anneal export latest --lora --merged --gguf q8_0,f16 --ollama',
    'anneal export ./my-model --gguf q8_0 --to ./my-model-gguf',
  );
}
