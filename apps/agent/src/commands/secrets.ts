import { type SecretName, secretNames } from '@anneal/core/protocol/secretNames';
import { Argument, type Command } from 'commander';
import { type AgentFolderOptions, agentSubcommands } from './agentFolder.ts';
import { addExamples } from './examples.ts';

const name = () => new Argument('<name>', 'which one').choices([...secretNames]);

/** The actions are a file beside this one, imported when one is run. */
export function define(command: Command): void {
  const subcommand = agentSubcommands(command);
  addExamples(
    subcommand('list', 'list them: where each comes from, and how it ends').action(
      async (options: AgentFolderOptions) => (await import('./secretsKept.ts')).list(options),
    ),
    'anneal secrets list',
  );
  addExamples(
    subcommand('set', 'keep one, sealed: it is read from the terminal without being shown, or from a pipe')
      .addArgument(name())
      .action(async (which: SecretName, options: AgentFolderOptions) =>
        (await import('./secretsKept.ts')).set(which, options),
      ),
    'anneal secrets set hf_token',
    'anneal secrets set hf_token < token.txt',
  );
  addExamples(
    subcommand('remove', 'forget one')
      .addArgument(name())
      .action(async (which: SecretName, options: AgentFolderOptions) =>
        (await import('./secretsKept.ts')).remove(which, options),
      ),
    'anneal secrets remove hf_token',
  );
  addExamples(command, 'anneal secrets list', 'anneal secrets set hf_token');
}
