import { UserError } from '@anneal/core/errors';
import { initTRPC } from '@trpc/server';
import type { RunQueue } from '../../service/queue/runQueue.ts';
import type { Chattables } from '../chat/chattables.ts';
import type { Conversations } from '../chat/conversations.ts';
import type { LoadedModels } from '../chat/loadedModels.ts';
import type { DataSources } from '../data/dataSources.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Pace } from '../pace.ts';
import type { Scheduler } from '../queue/scheduler.ts';
import type { RecipeDocuments } from '../recipes/documents.ts';
import type { RunFeeds } from '../runs/feeds.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Workspace } from '../workspace.ts';

/** What procedures work with. */
export interface Agent {
  id: string;
  version: string;
  workspace: Workspace;
  feeds: RunFeeds;
  data: DataSources;
  jobs: Jobs;
  chattables: Chattables;
  models: LoadedModels;
  conversations: Conversations;
  queue: RunQueue;
  scheduler: Scheduler;
  telemetry: Telemetry;
  documents: RecipeDocuments;
}

/** One for each client. */
export interface ClientContext {
  agent: Agent;
  pace: Pace;
}

const t = initTRPC.context<ClientContext>().create({
  isDev: false,
  errorFormatter({ shape, error }) {
    const { cause } = error;
    // Of a defect a client learns that it is one; what it is stands in the agent's output.
    const told = cause instanceof UserError ? cause.toJSON() : undefined;
    const message =
      told?.what ?? (error.code === 'INTERNAL_SERVER_ERROR' ? 'unexpected error in the agent' : shape.message);
    return { ...shape, message, data: { ...shape.data, error: told ?? null } };
  },
});

export const router = t.router;
export const procedure = t.procedure;
