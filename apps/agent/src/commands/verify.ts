import { UserError } from '@anneal/core/errors';
import { type VerifyRequest, verifyRequest } from '@anneal/core/protocol/host';
import type { Quantity } from '@anneal/core/verify/quantity';
import type { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import type { Verification } from '../service/host/verify.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { printError } from '../terminal/reportError.ts';
import { pad } from '../terminal/table.ts';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';

type Options = Omit<VerifyRequest, 'path'> & { json?: boolean };

export function define(command: Command): void {
  const { device, dtype } = verifyRequest.shape;
  addExamples(
    command
      .argument(
        '<path...>',
        'reference values: a checkpoint folder with golden.safetensors, a fine-tuning run or a preference objective with golden.json, an adapter with curves.json, or chat templates in JSON',
      )
      .option('--model <path>', 'for a fine-tuning run, a preference objective or an adapter: the model it starts from')
      .option('--tokenizer <folder>', 'for chat templates: the folder of the tokenizer, or of several families')
      .addOption(optionFor(device, '--device <device>', 'where to compute: cpu, cuda, or cuda:1 for the second GPU'))
      .addOption(optionFor(dtype, '--dtype <type>', 'weights (and on a GPU activations) of a checkpoint folder'))
      .action(verify),
    'anneal verify packages/core/test/golden/models/llama3',
    'anneal verify packages/core/test/golden/models/*/ --device cuda --dtype bf16',
    'anneal verify packages/core/test/golden/peft/*/',
    'anneal verify golden/smollm2-sft --model SmolLM2-135M-Instruct.Q4_1.gguf',
    'anneal verify golden/templates/qwen3.json --tokenizer tokenizers/qwen3',
  );
}

async function verify(paths: readonly string[], { json = false, ...options }: Options): Promise<void> {
  const { verifyReference } = await import('../service/host/verify.ts');
  const verifications: Verification[] = [];
  /** Paths without reference values: one of several does not end the others. */
  let wrong = 0;
  for (const path of paths) {
    if (!json) print(colors.bold(path));
    const verification = await verifyReference({}, { path, ...options }).catch((error: unknown) => {
      const isOfAll = paths.length === 1 || (error as UserError).code === 'device_not_found';
      if (!(error instanceof UserError) || isOfAll) throw error;
      wrong++;
      return { path, passed: false, quantities: [], error: error.toJSON() };
    });
    verifications.push(verification);
    if (json) continue;
    const { quantities, error } = verification;
    const width = Math.max(...quantities.map(({ name }) => name.length));
    for (const quantity of quantities) print(describe(quantity, width));
    if (error) printError(error, { json: false });
  }
  const passed = verifications.every((verification) => verification.passed);
  process.exitCode = passed ? exitCodes.done : wrong === paths.length ? exitCodes.badInput : exitCodes.failed;
  if (json) printJson({ passed, verifications: verifications.map(withFiniteNumbers) });
  else print(summary(verifications));
}

/** JSON has no NaN and no Infinity: they stand as text, since null would hide them. */
function withFiniteNumbers({ quantities, ...verification }: Verification) {
  return {
    ...verification,
    quantities: quantities.map(({ error, ...quantity }) => ({
      ...quantity,
      error: Number.isFinite(error) ? error : String(error),
    })),
  };
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
  const broken = verifications.filter(({ error }) => error).length;
  if (broken > 0) return colors.red(`${broken} of ${verifications.length} could not be compared to the end`);
  return failed === 0
    ? colors.green(`all ${all.length} quantities are within their tolerance`)
    : colors.red(`${failed} of ${all.length} quantities are outside their tolerance`);
}
