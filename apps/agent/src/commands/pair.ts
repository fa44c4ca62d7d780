import { personNameSchema } from '@anneal/core/protocol/people';
import { type Role, roles } from '@anneal/core/protocol/roles';
import { type Command, Option } from 'commander';
import { parseRequest } from '../service/parseRequest.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { addExamples } from './examples.ts';

interface PairOptions {
  name?: string;
  role?: Role;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    command
      .argument('[folder]', 'the folder that the agent serves', '.')
      .option('--name <name>', 'for another person, who is added if not known yet')
      .addOption(new Option('--role <role>', 'what a new person may do; default: viewer').choices([...roles]))
      .action(pair),
    'anneal pair',
    'anneal pair my-project --name Ada --role operator',
  );
}

async function pair(folder: string, { name, role, json }: PairOptions): Promise<void> {
  const [{ AgentState }, { Access }, { Audit }, { pairingLink }, { Workspace }, { codeOf }] = await Promise.all([
    import('../daemon/agentState.ts'),
    import('../daemon/auth/access.ts'),
    import('../daemon/auth/audit.ts'),
    import('../daemon/pairingLink.ts'),
    import('../daemon/workspace.ts'),
    import('./pairingCode.ts'),
  ]);
  const wanted = { name: parseRequest(personNameSchema.optional(), name), role };
  const state = new AgentState(new Workspace(folder).root);
  const { url } = state.served();
  const { code, until } = await codeOf(new Access(state.folder).people, wanted);
  new Audit(state.folder, remark).record({ name: null, action: 'anneal pair', input: wanted, outcome: 'done' });
  const link = pairingLink(url, code);
  if (json) return printJson({ url, link, until });
  print(link);
  print(
    name === undefined ? 'It pairs one browser, once, within 15 minutes.' : `It lets ${name} in, once, within 3 days.`,
  );
}
