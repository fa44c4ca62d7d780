import type { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { formatDuration } from '../terminal/units.ts';
import { addExamples } from './examples.ts';

export function define(command: Command): void {
  addExamples(
    command
      .option('--model <model>', 'test with this model instead of the starter')
      .option('--device <device>', 'where to compute: auto, cpu, cuda, or cuda:1 for the second GPU', 'auto')
      .action(selftest),
    'anneal selftest',
    'anneal selftest --device cuda',
  );
}

async function selftest(options: { model?: string; device: string; json?: boolean }): Promise<void> {
  const { selfTests } = await import('../selftest/selfTests.ts');
  const results: { name: string; passed: boolean; detail: string; milliseconds: number }[] = [];
  for await (const result of selfTests(options)) {
    results.push(result);
    if (options.json) continue;
    const verdict = result.passed ? colors.green('pass') : colors.red('FAIL');
    print(`${verdict}  ${result.name}: ${result.detail}  ${colors.dim(formatDuration(result.milliseconds))}`);
  }
  const passed = results.every((result) => result.passed);
  process.exitCode = passed ? exitCodes.done : exitCodes.failed;
  if (options.json) printJson({ passed, results });
}
