import { AgentState } from '../daemon/agentState.ts';
import { Audit } from '../daemon/auth/audit.ts';
import { EndpointStore } from '../daemon/secrets/endpointStore.ts';
import { Workspace } from '../daemon/workspace.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatTime } from '../units.ts';
import type { AgentFolderOptions } from './agentFolder.ts';
import { secretFrom } from './secretFrom.ts';

export function list({ folder, json }: AgentFolderOptions): void {
  const endpoints = keptBy(folder).store.list();
  if (json) return printJson(endpoints);
  if (endpoints.length === 0) return remark('no endpoint is configured');
  print(
    formatTable(
      ['NAME', 'ADDRESS', 'KEY', 'SET', 'BY'].map((title) => ({ title })),
      endpoints.map(({ name, url, ending, set: since, by }) => [
        name,
        url,
        ending === null ? 'none' : `…${ending}`,
        formatTime(since),
        by ?? '',
      ]),
    ),
  );
}

export async function set(
  { name, url }: { name: string; url: string },
  { folder, withKey, json }: AgentFolderOptions & { withKey?: boolean },
): Promise<void> {
  const { store, audit } = keptBy(folder);
  const secret = withKey ? await secretFrom(`key of ${name}`) : null;
  await store.set({ name, url, secret }, null);
  audit.record({ name: null, action: 'anneal endpoints set', input: { name, url }, outcome: 'done' });
  if (json) printJson(store.list().find((one) => one.name === name));
  else print(`kept ${name}`);
}

export async function remove(name: string, { folder, json }: AgentFolderOptions): Promise<void> {
  const { store, audit } = keptBy(folder);
  await store.remove(name);
  audit.record({ name: null, action: 'anneal endpoints remove', input: { name }, outcome: 'done' });
  if (json) printJson({ removed: name });
  else print(`removed ${name}`);
}

/** Of the agent that serves the folder, whether it runs or not. */
function keptBy(folder: string): { store: EndpointStore; audit: Audit } {
  const state = new AgentState(new Workspace(folder).root);
  return { store: new EndpointStore(state.folder), audit: new Audit(state.folder, remark) };
}
