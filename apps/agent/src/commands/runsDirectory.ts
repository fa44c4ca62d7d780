import type { Command } from 'commander';
import type { Context } from '../service/context.ts';

export interface RunsOptions {
  runsDir: string;
  json?: boolean;
}

export function addRunsDirectoryOption(command: Command): Command {
  return command.option('--runs-dir <folder>', 'where runs are kept', 'runs');
}

export function contextOf({ runsDir }: { runsDir?: string | undefined }): Context {
  return { runsFolder: runsDir };
}
