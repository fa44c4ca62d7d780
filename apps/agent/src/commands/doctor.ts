import type { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { pad } from '../terminal/table.ts';
import { addExamples } from './examples.ts';
import { useCase } from './useCases.ts';

export function define(command: Command): void {
  addExamples(command.action(doctor), 'anneal doctor');
}

async function doctor(options: { json?: boolean }): Promise<void> {
  const [examineHost, { finish }] = await Promise.all([useCase('examineHost'), import('../service/finish.ts')]);
  const findings = await finish(examineHost({}, { folder: '.' }));
  const failed = findings.some(({ state }) => state === 'fail');
  process.exitCode = failed ? exitCodes.failed : exitCodes.done;
  if (options.json) return printJson({ ok: !failed, findings });
  const mark = { ok: colors.green('ok  '), warn: colors.yellow('warn'), fail: colors.red('FAIL') };
  for (const { name, state, found, advice } of findings) {
    print(`${mark[state]}  ${pad(name, 16, 'left')}  ${found}`);
    if (advice) print(`      ${' '.repeat(18)}${advice}`);
  }
}
