import type { Quantity } from '@anneal/core/verify/quantity';
import type { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { pad } from '../terminal/table.ts';
import { addExamples } from './examples.ts';

interface Options {
  json?: boolean;
  model?: string;
  tokenizer?: string;
}

interface Verification {
  path: string;
  passed: boolean;
  quantities: readonly Quantity[];
}

export function define(command: Command): void {
  addExamples(
    command
      .argument(
        '<path...>',
        'reference values: a checkpoint folder with golden.safetensors, a fine-tuning run with golden.json, or chat templates in JSON',
      )
      .option('--model <path>', 'for a fine-tuning run: the model it starts from')
      .option('--tokenizer <folder>', 'for chat templates: the folder of the tokenizer, or of several families')
      .action(verify),
    'anneal verify packages/core/test/golden/models/llama3',
    'anneal verify golden/smollm2-sft --model SmolLM2-135M-Instruct.Q4_1.gguf',
    'anneal verify golden/templates/qwen3.json --tokenizer tokenizers/qwen3',
  );
}

async function verify(paths: readonly string[], options: Options): Promise<void> {
  const { verify: verifyFolder } = await import('@anneal/core/verify/verify');
  const verifications: Verification[] = [];
  for (const path of paths) {
    if (!options.json) print(colors.bold(path));
    const quantities = await verifyFolder(path, options);
    verifications.push({ path, passed: quantities.every(({ passed }) => passed), quantities });
    if (options.json) continue;
    const width = Math.max(...quantities.map(({ name }) => name.length));
    for (const quantity of quantities) print(describe(quantity, width));
  }
  const passed = verifications.every((verification) => verification.passed);
  process.exitCode = passed ? exitCodes.done : exitCodes.failed;
  if (options.json) printJson({ passed, verifications });
  else print(summary(verifications));
}

/** One line a quantity: verdict, name, error against its tolerance, and what the error measures. */
function describe({ name, metric, error, tolerance, passed }: Quantity, width: number): string {
  const verdict = passed ? colors.green('pass') : colors.red('FAIL');
  return `  ${verdict}  ${pad(name, width, 'left')}  ${exponent(error).padStart(8)} ≤ ${exponent(tolerance)}  ${metric}`;
}

function exponent(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

function summary(verifications: readonly Verification[]): string {
  const all = verifications.flatMap(({ quantities }) => quantities);
  const failed = all.filter(({ passed }) => !passed).length;
  return failed === 0
    ? colors.green(`all ${all.length} quantities are within their tolerance`)
    : colors.red(`${failed} of ${all.length} quantities are outside their tolerance`);
}
