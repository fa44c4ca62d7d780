import { stepRequest } from '@anneal/core/protocol/batches';
import { mostComparedRuns } from '@anneal/core/protocol/comparedRuns';
import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { addQueueOptions } from './queueOption.ts';
import type { QueueOptions } from './queueRun.ts';
import { numberFrom, optionFor } from './requestOption.ts';
import { addRunsDirectoryOption, type RunsOptions } from './runsDirectory.ts';
import { addSetOption } from './setOption.ts';

const runArgument = 'id of the run, its beginning or end, a path, or "latest"';

/** Each subcommand is a file beside this one, imported when it is run. */
export function define(command: Command): void {
  const subcommand = (nameAndArguments: string, summary: string): Command =>
    addRunsDirectoryOption(command.command(nameAndArguments).summary(summary).description(summary));

  addExamples(
    subcommand('ls', 'list the runs')
      .option('--tag <tag>', 'only those with this tag')
      .action(async (options: RunsOptions & { tag?: string }) => (await import('./runsLs.ts')).ls(options)),
    'anneal runs ls',
    'anneal runs ls --tag baseline',
  );
  addExamples(
    subcommand('show', 'everything about one run: state, numbers, checkpoints, files')
      .argument('[run]', runArgument, 'latest')
      .action(async (run: string, options: RunsOptions) => (await import('./runsShow.ts')).show(run, options)),
    'anneal runs show latest',
  );
  addExamples(
    subcommand(
      'batch',
      'which rows a step was made of, the highest losses first, and what the model thought of their tokens',
    )
      .argument('<run>', runArgument)
      .argument('<step>', 'number of the step, from 1', numberFrom(stepRequest.shape.step))
      .addOption(
        optionFor(
          stepRequest.shape.step,
          '--row <n>',
          'the tokens of the nth row of the list, with their losses by the nearest checkpoint',
        ),
      )
      .action(async (run: string, step: number, options: RunsOptions & { row?: number }) =>
        (await import('./runsBatch.ts')).batch(run, step, options),
      ),
    'anneal runs batch latest 120',
    'anneal runs batch latest 120 --row 1',
  );
  addExamples(
    subcommand('answers', 'what a step of `rl: grpo` sampled: answers, rewards and advantages, prompt by prompt')
      .argument('<run>', runArgument)
      .argument('<step>', 'number of the step, from 1', numberFrom(stepRequest.shape.step))
      .option('--full', 'prompts and answers whole, not their beginnings')
      .action(async (run: string, step: number, options: RunsOptions & { full?: boolean }) =>
        (await import('./runsAnswers.ts')).answers(run, step, options),
      ),
    'anneal runs answers latest 120',
  );
  addExamples(
    subcommand('logs', 'what a run said, and go on listening with --follow')
      .argument('[run]', runArgument, 'latest')
      .option('-f, --follow', 'wait for more until the run ends')
      .option('--output', 'the process output (run.log) instead of the events')
      .option('--search <text>', 'with --output: only the lines that have this text, the newest 500')
      .action(async (run: string, options: RunsOptions & { follow?: boolean; output?: boolean; search?: string }) =>
        (await import('./runsLogs.ts')).logs(run, options),
      ),
    'anneal runs logs latest --follow',
    'anneal runs logs latest --output --search warning',
  );
  addExamples(
    subcommand('stop', 'ask a run to save a checkpoint and end')
      .argument('[run]', runArgument, 'latest')
      .option('--now', 'end it at once, without a checkpoint')
      .action(async (run: string, options: RunsOptions & { now?: boolean }) =>
        (await import('./runsStop.ts')).stop(run, options),
      ),
    'anneal runs stop latest',
  );
  addExamples(
    subcommand('save', 'ask a run for a checkpoint now; it goes on')
      .argument('[run]', runArgument, 'latest')
      .action(async (run: string, options: RunsOptions) => (await import('./runsSave.ts')).save(run, options)),
    'anneal runs save latest',
  );
  addExamples(
    subcommand('note', 'write a note about a run, or read it; an empty text removes it')
      .argument('[run]', runArgument, 'latest')
      .argument('[text]', 'instead of what is there')
      .action(async (run: string, text: string | undefined, options: RunsOptions) =>
        (await import('./runsNote.ts')).note(run, text, options),
      ),
    'anneal runs note latest',
    'anneal runs note latest "warm-up of 5 %, as Ada proposed"',
  );
  addExamples(
    subcommand('tag', 'add tags to a run, or take some away; without any, its tags are listed')
      .argument('<run>', runArgument)
      .argument('[tag...]', 'to add')
      .option('--remove <tag...>', 'to take away')
      .action(async (run: string, add: string[], options: RunsOptions & { remove?: string[] }) =>
        (await import('./runsTag.ts')).tag(run, add, options),
      ),
    'anneal runs tag latest baseline',
    'anneal runs tag latest --remove baseline',
  );
  addExamples(
    subcommand('acknowledge', 'mark the alerts of a run as looked at; one that comes later is open again')
      .argument('[run]', runArgument, 'latest')
      .action(async (run: string, options: RunsOptions) =>
        (await import('./runsAcknowledge.ts')).acknowledge(run, options),
      ),
    'anneal runs acknowledge latest',
  );
  addExamples(
    addQueueOptions(
      addSetOption(
        subcommand(
          'resume',
          'continue a run from its newest checkpoint; with --set a finished one too, or with other steps for saving and measuring',
        ).argument('[run]', runArgument, 'latest'),
      ).option('--detach', 'train in the background'),
    ).action(async (run: string, options: RunsOptions & QueueOptions & { set?: readonly string[] }) =>
      (await import('./runsResume.ts')).resume(run, options),
    ),
    'anneal runs resume latest',
    'anneal runs resume latest --set max_steps=2000 --set save_steps=100',
  );
  addExamples(
    subcommand('rm', 'remove runs, with their checkpoints and exports, into the trash of their folder')
      .argument('<run...>', runArgument)
      .option('--for-good', 'remove them at once: they cannot be restored')
      .action(async (runs: string[], options: RunsOptions & { forGood?: boolean }) =>
        (await import('./runsRm.ts')).remove(runs, options),
      ),
    'anneal runs rm 20260131-142500-lora-16',
  );
  addExamples(
    subcommand('restore', 'bring back runs that were removed; without names the trash is listed')
      .argument('[run...]', 'id of the run, its beginning or end')
      .action(async (runs: string[], options: RunsOptions) => (await import('./runsRm.ts')).restore(runs, options)),
    'anneal runs restore 20260131-142500-lora-16',
  );
  addExamples(
    subcommand('compare', 'runs side by side: what differs in their recipes, and how they ended')
      .argument('<run...>', `two to ${mostComparedRuns} runs; ${runArgument}`)
      .option('--steps', 'the loss of every step beside each other')
      .option('--csv', 'as a table for other programs: a line for each run, with --steps for each step')
      .action(async (runs: string[], options: RunsOptions & { steps?: boolean; csv?: boolean }) =>
        (await import('./runsCompare.ts')).compare(runs, options),
      ),
    'anneal runs compare 20260131-142500-lora-16 20260131-151200-lora-32',
    'anneal runs compare lora-8 lora-16 lora-32 lora-64',
  );
  addExamples(command, 'anneal runs ls', 'anneal runs logs latest --follow');
}
