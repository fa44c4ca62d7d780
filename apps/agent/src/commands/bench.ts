import { type Command, Option } from 'commander';
import { addExamples } from './examples.ts';
import { wholeNumberFrom } from './numberOption.ts';

export interface BenchOptions {
  suite: 'sft' | 'decode' | 'data' | 'ops';
  op?: readonly string[];
  data?: string;
  maxRows: number;
  model?: string;
  shape?: string;
  device: string;
  rows: number;
  sequenceLen: number;
  loraR: number;
  dtype?: 'f32' | 'bf16';
  quantization: 'none' | 'nf4';
  activations: 'auto' | 'keep' | 'recompute';
  threads?: number;
  warmup: number;
  steps: number;
  newTokens: number;
  profile?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    command
      .addOption(
        new Option(
          '--suite <suite>',
          'sft: optimizer steps; decode: reading a prompt and answering it; data: opening, rendering and tokenizing rows; ops: single kernels',
        )
          .choices(['sft', 'decode', 'data', 'ops'])
          .default('sft'),
      )
      .option(
        '--model <model>',
        'a model folder, a .gguf file, or a name that was pulled; all suites but ops need it, or --shape',
      )
      .addOption(
        new Option(
          '--shape <name>',
          'instead of a model: a published shape with random weights, such as qwen3-0.6b or llama-3.1-8b',
        ).conflicts('model'),
      )
      .option('--device <device>', 'auto, cpu, cuda, or cuda:1 for the second GPU', 'auto')
      .option('--rows <number>', 'documents of a step, packed into one row', wholeNumberFrom(1, 4096), 1)
      .option(
        '--sequence-len <tokens>',
        'tokens of each document of a step, or of the prompt',
        wholeNumberFrom(8, 1 << 20),
        512,
      )
      .option('--lora-r <rank>', 'LoRA on all linear layers; 0: full fine-tuning', wholeNumberFrom(0, 1024), 16)
      .addOption(new Option('--dtype <type>', 'type of the weights; default: a row for each').choices(['f32', 'bf16']))
      .addOption(
        new Option('--quantization <form>', 'how the linears of the frozen model are held')
          .choices(['none', 'nf4'])
          .default('none'),
      )
      .addOption(
        new Option('--activations <policy>', 'for the backward pass')
          .choices(['auto', 'keep', 'recompute'])
          .default('auto'),
      )
      .option('--threads <number>', 'default: one for each core', wholeNumberFrom(1, 1024))
      .option('--warmup <number>', 'steps before measuring', wholeNumberFrom(0, 10_000), 3)
      .option('--steps <number>', 'steps, or answers, that are measured', wholeNumberFrom(1, 100_000), 10)
      .option('--new-tokens <number>', 'tokens of an answer', wholeNumberFrom(2, 1 << 20), 64)
      .option('--data <file>', 'for the suite data: the file of rows')
      .option('--max-rows <number>', 'for the suite data: rows that are tokenized', wholeNumberFrom(1), 100_000)
      .option('--op <name...>', 'for the suite ops: only these; default: every op')
      .option('--profile', 'say where the time of a step goes')
      .action(async (options: BenchOptions) => {
        const { bench } = await import('../bench/bench.ts');
        await bench(options);
      }),
    'anneal bench --model smollm2-135m --sequence-len 512 --lora-r 16 --json',
    'anneal bench --shape qwen3-0.6b --dtype bf16 --rows 2 --sequence-len 2048 --profile',
    'anneal bench --shape llama-3.1-8b --dtype bf16 --quantization nf4 --rows 2 --sequence-len 2048',
    'anneal bench --suite decode --model smollm2-135m --dtype bf16',
    'anneal bench --suite data --model smollm2-135m --data train.jsonl',
    'anneal bench --suite ops --op linear',
  );
}
