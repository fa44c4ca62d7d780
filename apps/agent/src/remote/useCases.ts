/** Everything that commands ask for, of another agent. */
import type { UseCases } from '../commands/useCases.ts';
import { remoteChat } from './chat.ts';
import type { Connection } from './connection.ts';
import { remoteExports } from './exports.ts';
import { remoteModels } from './models.ts';
import { remoteQueue } from './queue.ts';
import { remoteRecipes } from './recipes.ts';
import { remoteRuns } from './runs.ts';
import { synthesizeThere } from './synthesis.ts';

/** @param signal cancels what was begun there */
export function remoteUseCases(connection: Connection, signal: AbortSignal): UseCases {
  return {
    ...remoteRuns(connection),
    ...remoteRecipes(connection),
    ...remoteExports(connection, signal),
    ...remoteModels(connection, signal),
    ...remoteChat(connection),
    synthesizeRows: (context, request) =>
      synthesizeThere(connection, { ...context, signal: context.signal ?? signal }, request),
    openQueue: async () => remoteQueue(connection),
    surveyStorage: () => connection.ask((api) => api.storage.survey.query()),
    cleanStorage: (_, items) => connection.ask((api) => api.storage.clean.mutate({ items: [...items] })),
  };
}
