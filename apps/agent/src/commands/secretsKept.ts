import type { SecretName } from '@anneal/core/protocol/secretNames';
import { AgentState } from '../daemon/agentState.ts';
import { Audit } from '../daemon/auth/audit.ts';
import { SecretStore } from '../daemon/secrets/secretStore.ts';
import { Workspace } from '../daemon/workspace.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatTime } from '../units.ts';
import type { AgentFolderOptions } from './agentFolder.ts';
import { secretFrom } from './secretFrom.ts';

export function list({ folder, json }: AgentFolderOptions): void {
  const secrets = keptBy(folder).store.list();
  if (json) return printJson(secrets);
  const rows = secrets.map(({ name, from, ending, set: since, by }) => [
    name,
    from ?? 'not set',
    ending === null ? '' : `…${ending}`,
    since === null ? '' : formatTime(since),
    by ?? '',
  ]);
  const titles = ['NAME', 'FROM', 'ENDS WITH', 'SET', 'BY'];
  print(
    formatTable(
      titles.map((title) => ({ title })),
      rows,
    ),
  );
}

export async function set(name: SecretName, { folder, json }: AgentFolderOptions): Promise<void> {
  const { store, audit } = keptBy(folder);
  const secret = await secretFrom(name);
  await store.set({ name, secret }, null);
  audit.record({ name: null, action: 'anneal secrets set', input: { name }, outcome: 'done' });
  if (json) printJson(store.list().find((one) => one.name === name));
  else print(`kept ${name}`);
}

export async function remove(name: SecretName, { folder, json }: AgentFolderOptions): Promise<void> {
  const { store, audit } = keptBy(folder);
  await store.remove(name);
  audit.record({ name: null, action: 'anneal secrets remove', input: { name }, outcome: 'done' });
  if (json) printJson({ removed: name });
  else print(`removed ${name}`);
}

/** Of the agent that serves the folder, whether it runs or not. */
function keptBy(folder: string): { store: SecretStore; audit: Audit } {
  const state = new AgentState(new Workspace(folder).root);
  return { store: new SecretStore(state.folder), audit: new Audit(state.folder, remark) };
}
