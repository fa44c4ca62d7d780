import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchRow } from '@anneal/core/bench/row';
import { type BenchRequest, benchRequest } from '@anneal/core/protocol/host';
import type { Command, Option } from 'commander';
import { printJson, remark } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';

type BenchOptions = ReturnType<typeof benchRequest.parse> & { json?: boolean };

function field(name: keyof BenchRequest, flags: string, description: string): Option {
  return optionFor(benchRequest.shape[name], flags, description);
}

export function define(command: Command): void {
  addExamples(
    command
      .addOption(
        field(
          'suite',
          '--suite <suite>',
          'sft: optimizer steps; decode: reading a prompt and answering it; rollouts: several answers to it beside each other, as rl: grpo samples them; data: opening, rendering and tokenizing rows; ops: single kernels',
        ),
      )
      .option(
        '--model <model>',
        'a model folder, a .gguf file, or a name that was pulled; all suites but ops need it, or --shape',
      )
      .addOption(
        field(
          'shape',
          '--shape <name>',
          'instead of a model: a published shape with random weights, such as qwen3-0.6b or llama-3.1-8b',
        ).conflicts('model'),
      )
      .addOption(field('device', '--device <device>', 'auto, cpu, cuda, or cuda:1 for the second GPU'))
      .addOption(field('rows', '--rows <number>', 'documents of a step, packed into one row; for rollouts: answers'))
      .addOption(field('sequenceLen', '--sequence-len <tokens>', 'tokens of each document of a step, or of the prompt'))
      .addOption(field('loraR', '--lora-r <rank>', 'LoRA on all linear layers; 0: full fine-tuning'))
      .option('--dora', 'the adapter is a DoRA')
      .addOption(field('dtype', '--dtype <type>', 'type of the weights; default: a row for each'))
      .addOption(field('quantization', '--quantization <form>', 'how the linears of the frozen model are held'))
      .addOption(field('optimizer', '--optimizer <name>', 'as in a recipe'))
      .addOption(field('activations', '--activations <policy>', 'for the backward pass'))
      .addOption(field('threads', '--threads <number>', 'default: one for each core'))
      .addOption(field('warmup', '--warmup <number>', 'steps before measuring'))
      .addOption(field('steps', '--steps <number>', 'steps, or answers, that are measured'))
      .addOption(field('newTokens', '--new-tokens <number>', 'tokens of an answer'))
      .option('--data <file>', 'for the suite data: the file of rows')
      .addOption(field('maxRows', '--max-rows <number>', 'for the suite data: rows that are tokenized'))
      .option('--op <name...>', 'for the suite ops: only these; default: every op')
      .option('--profile', 'say where the time of a step goes')
      .action(bench),
    'anneal bench --model smollm2-135m --sequence-len 512 --lora-r 16 --json',
    'anneal bench --shape qwen3-0.6b --dtype bf16 --rows 2 --sequence-len 2048 --profile',
    'anneal bench --shape llama-3.1-8b --dtype bf16 --quantization nf4 --rows 2 --sequence-len 2048',
    'anneal bench --suite decode --model smollm2-135m --dtype bf16',
    'anneal bench --suite rollouts --shape qwen3-0.6b --dtype bf16 --rows 32 --new-tokens 256',
    'anneal bench --suite data --model smollm2-135m --data train.jsonl',
    'anneal bench --suite ops --op linear',
  );
}

async function bench({ json = false, ...options }: BenchOptions): Promise<void> {
  const [{ benchKernels, benchModel, benchRows, checkModelBench }, { printBench, printDataBench, printOpBench }] =
    await Promise.all([import('../service/host/bench.ts'), import('../terminal/bench.ts')]);
  if (options.suite === 'ops') {
    const rows = await benchKernels({}, options);
    return json ? printJson(rows) : printOpBench(rows);
  }
  if (options.suite === 'data') {
    const row = await benchRows({}, options);
    return json ? printJson([row]) : printDataBench(row);
  }
  await checkModelBench(options);
  const { suite, dtype } = options;
  const rows = dtype ? await benchModel({}, { ...options, suite, dtype }) : await benchEachType();
  if (json) printJson(rows);
  else printBench(rows);
}

/** This very command again, once for each type: a process of its own, so that its peak memory is its own. */
async function benchEachType(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const dtype of ['f32', 'bf16']) {
    const args = [...process.argv.slice(1).filter((arg) => arg !== '--json'), '--dtype', dtype, '--json'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26 });
    if (stderr) remark(stderr.trimEnd());
    rows.push(...(JSON.parse(stdout) as BenchRow[]));
  }
  return rows;
}
