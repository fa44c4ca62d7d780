import { parityRequest } from '@anneal/core/protocol/exports';
import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';
import { addRunsDirectoryOption, type RunsOptions } from './runsDirectory.ts';
import { addSourceOptions, sourceHelp } from './sourceOptions.ts';

const runArgument = 'id of the run, its beginning or end, a path, or "latest"';

/** Each subcommand is a file beside this one, imported when it is run. */
export function define(command: Command): void {
  const subcommand = (nameAndArguments: string, summary: string): Command =>
    command.command(nameAndArguments).summary(summary).description(summary);

  addExamples(
    addRunsDirectoryOption(subcommand('ls', 'list the exports of a run'))
      .argument('[run]', runArgument, 'latest')
      .action(async (run: string, options: RunsOptions) => (await import('./exportsLs.ts')).ls(run, options)),
    'anneal exports ls latest',
  );
  addExamples(
    addSourceOptions(
      subcommand('check', 'ask a model and its exports the same, and compare their answers token by token'),
    )
      .argument('<source>', sourceHelp)
      .argument('[exported...]', 'an adapter, a merged folder or a GGUF file; default: every export of the run')
      .option('--prompt <text...>', "what to ask; by default the recipe's sample prompts")
      .addOption(optionFor(parityRequest.shape.maxTokens, '--max-tokens <number>', 'longest answer'))
      .action(async (source: string, exported: string[], options: RunsOptions & CheckOptions) =>
        (await import('./exportsCheck.ts')).checkExports(source, exported, options),
      ),
    'anneal exports check latest',
    'anneal exports check ./my-model ./my-model-gguf/my-model-Q8_0.gguf --prompt "Who are you?"',
  );
  addExamples(
    addRunsDirectoryOption(subcommand('rm', 'remove exports of a run'))
      .argument('<run>', runArgument)
      .argument('<path...>', 'as `anneal exports ls` shows them')
      .option('--yes', 'remove them; without it they are only listed')
      .action(async (run: string, paths: string[], options: RunsOptions & { yes?: boolean }) =>
        (await import('./exportsRm.ts')).remove(run, paths, options),
      ),
    'anneal exports rm latest runs/20260131-142500-lora-16/export/step-60/merged --yes',
  );
  addExamples(command, 'anneal exports ls latest');
}

export interface CheckOptions {
  checkpoint?: string;
  prompt?: string[];
  maxTokens?: number;
}
