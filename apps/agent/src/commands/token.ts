import type { Command } from 'commander';
import { Option } from 'commander';
import type { ApiTokens, Scope } from '../daemon/auth/apiTokens.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatTime } from '../units.ts';
import { addExamples } from './examples.ts';

interface TokenOptions {
  folder: string;
  json?: boolean;
}

export function define(command: Command): void {
  const subcommand = (nameAndArguments: string, summary: string): Command =>
    command
      .command(nameAndArguments)
      .summary(summary)
      .description(summary)
      .option('--folder <folder>', 'the folder that the agent serves', '.');
  addExamples(
    subcommand('create', 'make a token for a program; it is printed once')
      .argument('<name>', 'what it is for')
      .addOption(
        new Option(
          '--scope <scope>',
          'what it may do: talk to models by /v1, read and send data, download exports, or read /metrics',
        )
          .choices(['chat', 'exports', 'metrics'])
          .default('chat'),
      )
      .action(create),
    'anneal token create open-webui',
  );
  addExamples(subcommand('list', 'the tokens there are, without their secrets').action(list), 'anneal token list');
  addExamples(
    subcommand('revoke', 'end a token at once').argument('<id>', 'as `anneal token list` shows it').action(revoke),
    'anneal token revoke 3f9a1c02',
  );
  addExamples(command, 'anneal token create open-webui', 'anneal token list');
}

async function create(name: string, { folder, scope, json }: TokenOptions & { scope: Scope }): Promise<void> {
  const made = (await tokensOf(folder)).create(name, scope);
  if (json) return printJson(made);
  print(made.token);
  remark(
    `It is shown only now. It may: ${scope}. Send it as "Authorization: Bearer …"; end it: anneal token revoke ${made.id}`,
  );
}

async function list({ folder, json }: TokenOptions): Promise<void> {
  const tokens = (await tokensOf(folder)).list();
  if (json) return printJson(tokens);
  if (tokens.length === 0) return print('no tokens');
  const rows = tokens.map(({ id, name, scope, created }) => [id, name, scope, formatTime(created)]);
  print(formatTable([{ title: 'ID' }, { title: 'NAME' }, { title: 'SCOPE' }, { title: 'CREATED' }], rows));
}

async function revoke(id: string, { folder, json }: TokenOptions): Promise<void> {
  const gone = (await tokensOf(folder)).revoke(id);
  if (json) return printJson(gone);
  print(`revoked ${gone.id} (${gone.name})`);
}

/** Of the agent that serves the folder, whether it runs or not. */
async function tokensOf(folder: string): Promise<ApiTokens> {
  const [{ AgentState }, { ApiTokens: Tokens }, { Workspace }] = await Promise.all([
    import('../daemon/agentState.ts'),
    import('../daemon/auth/apiTokens.ts'),
    import('../daemon/workspace.ts'),
  ]);
  return new Tokens(new AgentState(new Workspace(folder).root).folder);
}
