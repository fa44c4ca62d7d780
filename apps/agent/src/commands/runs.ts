import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { addRunsDirectoryOption } from './runsDirectory.ts';

interface Options {
  runsDir: string;
  json?: boolean;
}

const runArgument = 'id of the run, its beginning or end, a path, or "latest"';

/** Each subcommand is a file beside this one, imported when it is run. */
export function define(command: Command): void {
  const subcommand = (nameAndArguments: string, summary: string): Command =>
    addRunsDirectoryOption(command.command(nameAndArguments).summary(summary).description(summary));

  addExamples(
    subcommand('ls', 'list the runs').action(async (options: Options) => (await import('./runsLs.ts')).ls(options)),
    'anneal runs ls',
  );
  addExamples(
    subcommand('show', 'everything about one run: state, numbers, checkpoints, files')
      .argument('[run]', runArgument, 'latest')
      .action(async (run: string, options: Options) => (await import('./runsShow.ts')).show(run, options)),
    'anneal runs show latest',
  );
  addExamples(
    subcommand('logs', 'what a run said, and go on listening with --follow')
      .argument('[run]', runArgument, 'latest')
      .option('-f, --follow', 'wait for more until the run ends')
      .option('--output', 'the process output (run.log) instead of the events')
      .action(async (run: string, options: Options & { follow?: boolean; output?: boolean }) =>
        (await import('./runsLogs.ts')).logs(run, options),
      ),
    'anneal runs logs latest --follow',
  );
  addExamples(
    subcommand('stop', 'ask a run to save a checkpoint and end')
      .argument('[run]', runArgument, 'latest')
      .option('--now', 'end it at once, without a checkpoint')
      .action(async (run: string, options: Options & { now?: boolean }) =>
        (await import('./runsStop.ts')).stop(run, options),
      ),
    'anneal runs stop latest',
  );
  addExamples(
    subcommand('resume', 'continue a run that was stopped, interrupted or failed, from its newest checkpoint')
      .argument('[run]', runArgument, 'latest')
      .option('--detach', 'train in the background')
      .action(async (run: string, options: Options & { detach?: boolean }) =>
        (await import('./runsResume.ts')).resume(run, options),
      ),
    'anneal runs resume latest',
  );
  addExamples(
    subcommand('compare', 'two runs side by side: what differs in the recipe, and how they ended')
      .argument('<a>', runArgument)
      .argument('<b>', runArgument)
      .action(async (a: string, b: string, options: Options) =>
        (await import('./runsCompare.ts')).compare(a, b, options),
      ),
    'anneal runs compare 20260131-142500-lora-16 20260131-151200-lora-32',
  );
  addExamples(command, 'anneal runs ls', 'anneal runs logs latest --follow');
}
