import type { Command } from 'commander';
import { type AgentFolderOptions, agentSubcommands } from './agentFolder.ts';
import { addExamples } from './examples.ts';

/** The actions are a file beside this one, imported when one is run. */
export function define(command: Command): void {
  const subcommand = agentSubcommands(command);
  addExamples(
    subcommand('list', 'list them, and how their keys end').action(async (options: AgentFolderOptions) =>
      (await import('./endpointsKept.ts')).list(options),
    ),
    'anneal endpoints list',
  );
  addExamples(
    subcommand('set <name> <url>', 'let recipes that make rows ask this address (what stands before /chat/completions)')
      .option('--with-key', 'it has an API key: read from the terminal without being shown, or from a pipe, and sealed')
      .action(async (name: string, url: string, options: AgentFolderOptions & { withKey?: boolean }) =>
        (await import('./endpointsKept.ts')).set({ name, url }, options),
      ),
    'anneal endpoints set ollama http://127.0.0.1:11434/v1',
    'anneal endpoints set provider https://api.example.com/v1 --with-key < key.txt',
  );
  addExamples(
    subcommand('remove <name>', 'forget one, with its key').action(async (name: string, options: AgentFolderOptions) =>
      (await import('./endpointsKept.ts')).remove(name, options),
    ),
    'anneal endpoints remove provider',
  );
  addExamples(command, 'anneal endpoints list', 'anneal endpoints set ollama http://127.0.0.1:11434/v1');
}
