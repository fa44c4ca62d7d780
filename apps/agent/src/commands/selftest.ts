import { type SelfTest, selfTestRequest } from '@anneal/core/protocol/host';
import type { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { formatDuration } from '../units.ts';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';

export function define(command: Command): void {
  addExamples(
    command
      .option('--model <model>', 'test with this model instead of the starter')
      .addOption(
        optionFor(
          selfTestRequest.shape.device,
          '--device <device>',
          'where to compute: auto, cpu, cuda, or cuda:1 for the second GPU',
        ),
      )
      .option('--op <name...>', 'only the tests of these ops')
      .addOption(
        optionFor(selfTestRequest.shape.case, '--case <text>', 'only the cases of ops whose names hold this text'),
      )
      .action(selftest),
    'anneal selftest',
    'anneal selftest --device cuda',
    "anneal selftest --device cuda --op gated_delta_backward --case 'a whole chunk'",
  );
}

interface SelfTestOptions {
  model?: string;
  device: string;
  op?: string[];
  case?: string;
  json?: boolean;
}

async function selftest({ model, device, op, case: caseText, json }: SelfTestOptions): Promise<void> {
  const { selfTests } = await import('../service/host/selfTests.ts');
  const results: SelfTest[] = [];
  for await (const result of selfTests({}, { model, device, op, case: caseText })) {
    results.push(result);
    if (json) continue;
    const verdict = result.passed ? colors.green('pass') : colors.red('FAIL');
    print(`${verdict}  ${result.name}: ${result.detail}  ${colors.dim(formatDuration(result.milliseconds))}`);
  }
  const passed = results.every((result) => result.passed);
  process.exitCode = passed ? exitCodes.done : exitCodes.failed;
  if (json) printJson({ passed, results });
}
