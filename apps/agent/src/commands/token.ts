import { type Scope, scopes } from '@anneal/core/protocol/roles';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ApiTokens } from '../daemon/auth/apiTokens.ts';
import type { Audit } from '../daemon/auth/audit.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatTime } from '../units.ts';
import { type AgentFolderOptions, agentSubcommands } from './agentFolder.ts';
import { addExamples } from './examples.ts';

export function define(command: Command): void {
  const subcommand = agentSubcommands(command);
  addExamples(
    subcommand('create', 'make a token for a program; it is printed once')
      .argument('<name>', 'what it is for')
      .addOption(
        new Option(
          '--scope <scope>',
          'what it may do: talk to models by /v1, read and send data, download exports, read /metrics, or whatever people of a role may: for anneal remote and anneal mcp',
        )
          .choices([...scopes])
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

async function create(name: string, { folder, scope, json }: AgentFolderOptions & { scope: Scope }): Promise<void> {
  const { tokens, audit } = await keptBy(folder);
  const made = await tokens.create(name, scope);
  audit.record({ name: null, action: 'anneal token create', input: { name, scope }, outcome: 'done' });
  if (json) return printJson(made);
  const end = `anneal token revoke ${made.id}${await folderOption(folder)}`;
  print(made.token);
  remark(`It is shown only now. It may: ${scope}. Send it as "Authorization: Bearer …"; end it: ${end}`);
}

async function list({ folder, json }: AgentFolderOptions): Promise<void> {
  const tokens = (await keptBy(folder)).tokens.list();
  if (json) return printJson(tokens);
  if (tokens.length === 0) return print('no tokens');
  const rows = tokens.map(({ id, name, scope, created }) => [id, name, scope, formatTime(created)]);
  print(formatTable([{ title: 'ID' }, { title: 'NAME' }, { title: 'SCOPE' }, { title: 'CREATED' }], rows));
}

async function revoke(id: string, { folder, json }: AgentFolderOptions): Promise<void> {
  const { tokens, audit } = await keptBy(folder);
  const gone = await tokens.revoke(id, await folderOption(folder));
  audit.record({ name: null, action: 'anneal token revoke', input: { id, name: gone.name }, outcome: 'done' });
  if (json) return printJson(gone);
  print(`revoked ${gone.id} (${gone.name})`);
}

async function folderOption(folder: string): Promise<string> {
  const { asTyped } = await import('../daemon/agentState.ts');
  return folder === '.' ? '' : ` --folder ${asTyped(folder)}`;
}

/** Of the agent that serves the folder, whether it runs or not. */
async function keptBy(folder: string): Promise<{ tokens: ApiTokens; audit: Audit }> {
  const [{ AgentState }, { ApiTokens: Tokens }, { Audit: Log }, { Workspace }] = await Promise.all([
    import('../daemon/agentState.ts'),
    import('../daemon/auth/apiTokens.ts'),
    import('../daemon/auth/audit.ts'),
    import('../daemon/workspace.ts'),
  ]);
  const state = new AgentState(new Workspace(folder).root);
  return { tokens: new Tokens(state.folder), audit: new Log(state.folder, remark) };
}
