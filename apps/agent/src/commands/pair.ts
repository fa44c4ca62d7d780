import type { Command } from 'commander';
import { print, printJson } from '../terminal/print.ts';
import { addExamples } from './examples.ts';

export function define(command: Command): void {
  addExamples(
    command.argument('[folder]', 'the folder that the agent serves', '.').action(pair),
    'anneal pair',
    'anneal pair my-project',
  );
}

async function pair(folder: string, options: { json?: boolean }): Promise<void> {
  const [{ AgentState }, { Access }, { pairingLink }, { Workspace }] = await Promise.all([
    import('../daemon/agentState.ts'),
    import('../daemon/auth/access.ts'),
    import('../daemon/pairingLink.ts'),
    import('../daemon/workspace.ts'),
  ]);
  const state = new AgentState(new Workspace(folder).root);
  const { url } = state.served();
  const link = pairingLink(url, new Access(state.folder).newCode());
  if (options.json) return printJson({ url, link });
  print(link);
  print('It pairs one browser, once, within 15 minutes.');
}
