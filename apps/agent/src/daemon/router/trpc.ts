import { UserError } from '@anneal/core/errors';
import type { Person } from '@anneal/core/protocol/people';
import { type Role, reaches } from '@anneal/core/protocol/roles';
import { initTRPC, TRPCError } from '@trpc/server';
import { z } from 'zod';
import { badRequest } from '../../service/parseRequest.ts';
import type { RunQueue } from '../../service/queue/runQueue.ts';
import type { Access } from '../auth/access.ts';
import type { ApiTokens } from '../auth/apiTokens.ts';
import type { Audit } from '../auth/audit.ts';
import { hashOf } from '../auth/secrets.ts';
import type { Chattables } from '../chat/chattables.ts';
import type { Conversations } from '../chat/conversations.ts';
import type { LoadedModels } from '../chat/loadedModels.ts';
import type { DataSources } from '../data/dataSources.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Pace } from '../pace.ts';
import { patienceMilliseconds, stillWorking, withinPatience } from '../patience.ts';
import type { Scheduler } from '../queue/scheduler.ts';
import type { RecipeDocuments } from '../recipes/documents.ts';
import type { FirstBatchesOfRecipes } from '../recipes/firstBatches.ts';
import type { LiveEstimates } from '../recipes/liveEstimates.ts';
import type { RunFeeds } from '../runs/feeds.ts';
import type { RunBatches } from '../runs/runBatches.ts';
import type { EndpointStore } from '../secrets/endpointStore.ts';
import type { SecretStore } from '../secrets/secretStore.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Workspace } from '../workspace.ts';
import { neededRoles } from './roles.ts';

/** What procedures work with. */
export interface Agent {
  id: string;
  version: string;
  /** What a person types to call this program. */
  calledAs: string;
  workspace: Workspace;
  feeds: RunFeeds;
  data: DataSources;
  batches: RunBatches;
  firstBatches: FirstBatchesOfRecipes;
  estimates: LiveEstimates;
  jobs: Jobs;
  chattables: Chattables;
  models: LoadedModels;
  conversations: Conversations;
  queue: RunQueue;
  scheduler: Scheduler;
  access: Access;
  tokens: ApiTokens;
  secrets: SecretStore;
  endpoints: EndpointStore;
  /** Where this agent answers as OpenAI does. */
  ownApi(): string;
  audit: Audit;
  telemetry: Telemetry;
  documents: RecipeDocuments;
}

/** Who has opened a socket. */
export interface SocketCaller {
  /** The session's token; undefined for a program, which came with a token. */
  session: string | undefined;
  /** Looked up each time: undefined once the session has ended. */
  person(): Person | undefined;
  /** Requests of this socket that have no answer yet, subscriptions left out. */
  unanswered: { count: number };
  /** Its subscriptions that go on. */
  subscriptions: { count: number };
  /** Answers to its queries that take longer than a request may, by what was asked. */
  late: Map<string, Promise<unknown>>;
}

/** One for each client. */
interface ClientContext {
  agent: Agent;
  pace: Pace;
  caller: SocketCaller;
}

const t = initTRPC.context<ClientContext>().create({
  isDev: false,
  errorFormatter({ shape, error }) {
    const { cause } = error;
    // Of a defect a client learns that it is one; what it is stands in the agent's output.
    const isWrong = error.code === 'BAD_REQUEST' && cause instanceof z.ZodError;
    const refusal = isWrong ? badRequest(cause) : cause;
    const told = refusal instanceof UserError ? refusal.toJSON() : undefined;
    const message =
      told?.what ?? (error.code === 'INTERNAL_SERVER_ERROR' ? 'unexpected error in the agent' : shape.message);
    return { ...shape, message, data: { ...shape.data, error: told ?? null } };
  },
});

export const router = t.router;

/** The input of a procedure that takes none: one that is given is refused, too. */
export const nothing = z.void('nothing can be given here');

/** Whoever asks needs the role of `neededRoles`. What is changed, or was to be, goes into the audit. */
export const procedure = t.procedure.use(async ({ ctx, path, type, getRawInput, next }) => {
  const needed = neededRoles[path];
  if (needed === undefined) throw new Error(`${path} has no role: give it one in daemon/router/roles.ts`);
  const me = ctx.caller.person();
  const isAllowed = me !== undefined && reaches(me.role, needed);
  const record = async (outcome: string) => {
    if (type !== 'mutation') return;
    ctx.agent.audit.record({ name: me?.name ?? null, action: path, input: await getRawInput(), outcome });
  };
  if (!isAllowed) {
    await record('not_allowed');
    throw new TRPCError({ code: 'FORBIDDEN', cause: notAllowed(me, needed) });
  }
  const { late } = ctx.caller;
  const question = type === 'query' ? hashOf(`${path} ${JSON.stringify(await getRawInput())}`) : '';
  const open = type === 'subscription' ? ctx.caller.subscriptions : ctx.caller.unanswered;
  if (open.count >= mostOpen[type]) throw new TRPCError({ code: 'TOO_MANY_REQUESTS', cause: tooMany(type) });
  open.count++;
  let goesOn = false;
  const begin = () => next({ ctx: { ...ctx, me } });
  const work = (late.get(question) as ReturnType<typeof begin> | undefined) ?? begin();
  try {
    if (type === 'subscription') {
      const result = await work;
      goesOn = result.ok;
      return result.ok ? { ...result, data: counted(result.data as AsyncIterable<unknown>, open) } : result;
    }
    if (type === 'query') {
      const result = await withinPatience(work, () => {
        keepLate(late, question, work);
        return timeout();
      });
      late.delete(question);
      return result;
    }
    // What takes longer is recorded when it has ended.
    const recorded = work.then(async (result) => {
      ctx.caller.late = new Map(); // what was asked before does not know of it
      await record(result.ok ? 'done' : codeOf(result.error));
      return result;
    });
    recorded.catch(() => undefined); // told here, or nobody waits for it any more
    return await withinPatience(recorded, () => timeout('look in a moment what has become of it'));
  } finally {
    if (!goesOn) open.count--;
  }
});

/** Of one socket: a page of the studio follows a dozen things, and one that compares 50 runs asks for 51 answers at once, again and again. */
const mostOpen = { subscription: 64, query: 256, mutation: 256 };

async function* counted(told: AsyncIterable<unknown>, open: { count: number }): AsyncGenerator<unknown> {
  try {
    yield* told;
  } finally {
    open.count--;
  }
}

/** Who asks the same again waits for what was begun. It is kept for a while after its end; one for which there was no room is begun anew. */
function keepLate(
  late: SocketCaller['late'],
  question: string,
  work: Promise<{ ok: true } | { ok: false; error: TRPCError }>,
): void {
  if (late.get(question) === work) return;
  late.set(question, work);
  const forget = () => void (late.get(question) === work && late.delete(question));
  void work.then((result) => {
    if (!result.ok && codeOf(result.error) === 'agent_busy') forget();
    else setTimeout(forget, patienceMilliseconds).unref();
  });
}

function timeout(next?: string): TRPCError {
  return new TRPCError({ code: 'TIMEOUT', cause: stillWorking(next) });
}

function tooMany(type: 'query' | 'mutation' | 'subscription'): UserError {
  const what = type === 'subscription' ? 'things are followed' : 'requests wait for an answer';
  return new UserError({
    what: `${mostOpen[type]} ${what} on this connection, which is the most that may be`,
    next: type === 'subscription' ? 'end one first' : 'wait for some of the answers',
    code: 'too_many_requests',
  });
}

function codeOf({ cause, code }: TRPCError): string {
  return cause instanceof UserError ? cause.code : code.toLowerCase();
}

function notAllowed(me: Person | undefined, needed: Role): UserError {
  return new UserError({
    what: me ? `this needs the role ${needed}, and ${me.name} is ${me.role}` : 'this browser is not paired any more',
    next: me ? 'ask an admin of this agent for another role' : 'open a new link of `anneal pair`',
    code: me ? 'not_allowed' : 'not_paired',
  });
}
