import { UserError } from '@anneal/core/errors';
import { createFile } from '@anneal/formats/files/atomicWrite';
import type { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { pad } from '../terminal/table.ts';
import { addExamples } from './examples.ts';
import { addRunsDirectoryOption, contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export function define(command: Command): void {
  addExamples(
    addRunsDirectoryOption(command)
      .argument('[run]', 'look at a run instead: its id, the beginning or end of it, a path, or "latest"')
      .option(
        '--bundle [file]',
        'write a file for somebody who helps: versions, devices, errors, a run; without secrets',
      )
      .option('--rebuild-index', "rebuild the agent's index of the runs of this folder; the agent must have ended")
      .option('--run <run>', 'with --bundle: which run; default: the newest, where there is one')
      .action(doctor),
    'anneal doctor',
    'anneal doctor --bundle',
    'anneal doctor latest',
    'anneal doctor --rebuild-index',
  );
}

interface Options extends RunsOptions {
  bundle?: string | true;
  run?: string;
  rebuildIndex?: boolean;
}

async function doctor(run: string | undefined, options: Options): Promise<void> {
  if (options.rebuildIndex) {
    if (run !== undefined || options.bundle !== undefined || options.run !== undefined) {
      throw new UserError({
        what: '--rebuild-index is about all runs of the folder, and stands alone',
        next: 'leave out the run, --run and --bundle',
        code: 'options_conflict',
      });
    }
    return (await import('./doctorIndex.ts')).doctorIndex(options);
  }
  if (run !== undefined && (options.bundle !== undefined || options.run !== undefined)) {
    throw new UserError({
      what: 'a run to look at is given with --bundle or --run',
      next: `leave them out, or write \`anneal doctor --bundle --run ${run}\``,
      code: 'options_conflict',
    });
  }
  if (run !== undefined) return (await import('./doctorRun.ts')).doctorRun(run, options);
  if (options.bundle !== undefined) return writeSupportFile(options.bundle, options);
  if (options.run !== undefined) {
    throw new UserError({
      what: '--run is given without --bundle',
      next: 'add --bundle, or look at the run with `anneal runs show`',
      code: 'options_conflict',
    });
  }
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

async function writeSupportFile(name: string | true, options: Options): Promise<void> {
  const collectSupport = await useCase('collectSupport');
  const support = await collectSupport(contextOf(options), { folder: '.', run: options.run });
  const day = support.made.slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const path = name === true ? `anneal-support-${day}.json` : name;
  writeNew(path, `${JSON.stringify(support, null, 2)}\n`);
  if (options.json) return printJson({ path });
  print(path);
  remark('Secrets are taken out, and texts of samples; paths and the recipe are not. Read it before you hand it on.');
}

/** Whole or not at all. @throws UserError `file_exists`, `disk_full`, `file_not_writable` */
function writeNew(path: string, text: string): void {
  if (createFile(path, text, { sync: false, mode: 0o600 })) return;
  throw new UserError({
    what: 'there is a file of this name, and nothing is overwritten',
    where: path,
    next: 'give another name: --bundle <file>',
    code: 'file_exists',
  });
}
