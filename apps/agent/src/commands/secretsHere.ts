import { agentFolderAbove } from '../daemon/agentState.ts';
import { SecretStore, secretsInEnvironment } from '../daemon/secrets/secretStore.ts';
import type { Context } from '../service/context.ts';

/** What the command line may use in this folder: of the environment, and of the agent that serves the folder or one above it. */
export function secretsFor(folder = '.'): NonNullable<Context['secrets']> {
  const kept = agentFolderAbove(folder, 'secrets.json');
  return kept === undefined ? secretsInEnvironment() : new SecretStore(kept).open();
}
