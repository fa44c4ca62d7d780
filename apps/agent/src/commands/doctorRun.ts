import type { RunFinding } from '@anneal/core/protocol/diagnoses';
import { shellWord } from '@anneal/core/shellWord';
import { exitCodes } from '../exitCodes.ts';
import { finish } from '../service/finish.ts';
import { colors } from '../terminal/colors.ts';
import { print, printHint, printJson } from '../terminal/print.ts';
import { ProgressLine } from '../terminal/progressLine.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

/** What went wrong in a run, and what to change. The exit code tells whether anything was found. */
export async function doctorRun(run: string, options: RunsOptions): Promise<void> {
  const diagnoseRun = await useCase('diagnoseRun');
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const looking = diagnoseRun(contextOf(options), { run });
  const diagnosis = await finish(looking, ({ phase, share }) =>
    line?.show(phase === 'events' ? `reading the log: ${Math.floor(100 * share)} %` : `looking at the ${phase}`),
  ).finally(() => line?.clear());
  const { id, findings, unchecked } = diagnosis;
  process.exitCode = findings.length === 0 ? exitCodes.done : exitCodes.failed;
  if (options.json) return printJson(diagnosis);
  if (findings.length === 0) print(`${colors.green('ok')}  ${id}: nothing looks wrong`);
  for (const finding of findings) printFinding(finding);
  for (const { what, why } of unchecked) print(colors.dim(`not looked at: ${what}: ${why}`));
}

function printFinding({ what, evidence, next, set }: RunFinding): void {
  print(colors.bold(what));
  for (const { text } of evidence) print(`  seen  ${text}`);
  printHint(`  do    ${next}`);
  const settings = Object.entries(set).map(([key, value]) => `--set ${shellWord(`${key}=${JSON.stringify(value)}`)}`);
  if (settings.length > 0) print(`  with  ${settings.join(' ')}`);
  print('');
}
