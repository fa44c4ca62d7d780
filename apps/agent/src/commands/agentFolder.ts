import type { Command } from 'commander';

export interface AgentFolderOptions {
  folder: string;
  json?: boolean;
}

/** Subcommands about what the agent of a folder keeps, whether it runs or not. */
export function agentSubcommands(
  command: Command,
  folder = 'the folder that the agent serves',
): (nameAndArguments: string, summary: string) => Command {
  return (nameAndArguments, summary) =>
    command.command(nameAndArguments).summary(summary).description(summary).option('--folder <folder>', folder, '.');
}
