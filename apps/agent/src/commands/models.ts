import type { Command } from 'commander';
import { addExamples } from './examples.ts';
import { addRunsDirectoryOption, type RunsOptions } from './runsDirectory.ts';

const modelArgument = 'owner/model, or the path of its folder as `anneal models ls` shows it';

/** Each subcommand is a file beside this one, imported when it is run. */
export function define(command: Command): void {
  const subcommand = (nameAndArguments: string, summary: string): Command =>
    command.command(nameAndArguments).summary(summary).description(summary);

  addExamples(
    addRunsDirectoryOption(subcommand('ls', 'list the models in the cache, and others that are named'))
      .argument('[path...]', 'folders and GGUF files beside those of the cache')
      .action(async (paths: string[], options: RunsOptions) => (await import('./modelsLs.ts')).ls(paths, options)),
    'anneal models ls',
  );
  addExamples(
    subcommand('check', 'compare a pulled model with the hashes that it came with, byte for byte')
      .argument('<model>', modelArgument)
      .action(async (model: string, options: { json?: boolean }) =>
        (await import('./modelsCheck.ts')).check(model, options),
      ),
    'anneal models check HuggingFaceTB/SmolLM2-135M-Instruct',
  );
  addExamples(
    addRunsDirectoryOption(subcommand('rm', 'remove a model from the cache, if no run needs it'))
      .argument('<model>', modelArgument)
      .option('--yes', 'remove it; without this it is only named')
      .action(async (model: string, options: RunsOptions & { yes?: boolean }) =>
        (await import('./modelsRm.ts')).remove(model, options),
      ),
    'anneal models rm HuggingFaceTB/SmolLM2-135M-Instruct --yes',
  );
  addExamples(command, 'anneal models ls');
}
