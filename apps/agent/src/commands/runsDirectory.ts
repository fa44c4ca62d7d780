import type { Command } from 'commander';

export function addRunsDirectoryOption(command: Command): Command {
  return command.option('--runs-dir <folder>', 'where runs are kept', 'runs');
}
