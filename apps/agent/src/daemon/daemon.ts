/** The agent as a server: one port for the studio, for pairing and for the sockets of clients. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { UserError } from '@anneal/core/errors';
import type { ListedExport } from '@anneal/core/protocol/exports';
import { getRequestListener } from '@hono/node-server';
import manifest from '../../package.json' with { type: 'json' };
import { resumeDetached } from '../runner/startWorker.ts';
import { RunQueue } from '../service/queue/runQueue.ts';
import { keysOfJudges } from '../service/runs/judges.ts';
import { type Address, nameOf } from './address.ts';
import { AgentState } from './agentState.ts';
import { Access } from './auth/access.ts';
import { ApiTokens } from './auth/apiTokens.ts';
import { Audit } from './auth/audit.ts';
import { Callers } from './auth/callers.ts';
import { withoutBasePath } from './basePath.ts';
import { Chattables } from './chat/chattables.ts';
import { ConversationFiles } from './chat/conversationFiles.ts';
import { Conversations } from './chat/conversations.ts';
import { LoadedModels } from './chat/loadedModels.ts';
import { DataSources } from './data/dataSources.ts';
import { Uploads } from './data/uploads.ts';
import { answerWith, fileOf } from './exports/download.ts';
import { exportsNamed } from './exports/find.ts';
import { createHttp } from './http.ts';
import { Jobs } from './jobs/jobs.ts';
import { metricsText } from './metrics.ts';
import { createApi } from './openai/api.ts';
import { pairingLink } from './pairingLink.ts';
import { Scheduler } from './queue/scheduler.ts';
import { RecipeDocuments } from './recipes/documents.ts';
import { FirstBatchesOfRecipes } from './recipes/firstBatches.ts';
import { LiveEstimates } from './recipes/liveEstimates.ts';
import { RequestCheck } from './requestCheck.ts';
import type { Agent } from './router/trpc.ts';
import { RunFeeds } from './runs/feeds.ts';
import { KeptHistories } from './runs/keptHistories.ts';
import { RunBatches } from './runs/runBatches.ts';
import { indexPath, RunIndex } from './runs/runIndex.ts';
import { EndpointStore } from './secrets/endpointStore.ts';
import { SecretStore } from './secrets/secretStore.ts';
import { Sockets } from './sockets.ts';
import { StudioFiles } from './studioFiles.ts';
import { Telemetry } from './telemetry.ts';
import { Workspace } from './workspace.ts';

export interface DaemonOptions {
  address: Address;
  workspace: string;
  runsFolder?: string | undefined;
  /** What a person types to call this program, for lines that are copied. */
  calledAs?: string;
  /** Names under which browsers may call the agent, beside those of this machine. */
  allowedHosts: readonly string[];
  /** Below which browsers reach the agent: '' or as `checkBasePath` gives it. */
  basePath?: string;
  /** Is told of what is refused and why, and of defects. */
  log: (text: string) => void;
  /** Of the built studio; by default beside the agent. */
  studioFolder?: string | undefined;
}

export interface Daemon {
  url: string;
  /** Opens the studio and pairs the browser, once. */
  pairingLink(): Promise<string>;
  close(): Promise<void>;
}

/** How late a connection is ended whose time is over. Node's own is 30 seconds: as long again as a request may take. */
const connectionsCheckingInterval = 5000;
/** Clients may take so long to go. */
const patienceMilliseconds = 1000;

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { address, basePath = '' } = options;
  const workspace = new Workspace(options.workspace, options.runsFolder, options.log);
  const studio = new StudioFiles(options.studioFolder, basePath);
  const state = new AgentState(workspace.root);
  const lock = state.lock();
  const index = new RunIndex(indexPath(state.folder), options.log);
  try {
    const access = new Access(state.folder, address.token);
    const tokens = new ApiTokens(state.folder);
    const secrets = new SecretStore(state.folder);
    const endpoints = new EndpointStore(state.folder);
    const audit = new Audit(state.folder, options.log);
    const queue = new RunQueue(state.folder);
    const histories = new KeptHistories(state.folder, options.log);
    const feeds = new RunFeeds(workspace, queue, histories, index);
    const models = new LoadedModels(options.log);
    const scheduler = new Scheduler({
      queue,
      feeds,
      // A run that begins has the memory of models that nobody talks to.
      launch: async (path, order) => {
        await models.closeIdle();
        return resumeDetached(path, { ...order, endpointKeys: keysOfJudges(path, endpoints.open()) });
      },
      log: options.log,
    });
    const telemetry = new Telemetry(workspace.root);
    const jobs = new Jobs(options.log);
    const data = new DataSources(workspace);
    const batches = new RunBatches(workspace);
    const firstBatches = new FirstBatchesOfRecipes(workspace);
    const estimates = new LiveEstimates({ runsFolder: workspace.runsFolder });
    const chattables = new Chattables(workspace, feeds);
    const files = new ConversationFiles(state.folder);
    const conversations = new Conversations({ files, chattables, models, log: options.log });
    const documents = new RecipeDocuments({ workspace, folder: state.folder, log: options.log });
    const agent: Agent = {
      id: state.id,
      version: manifest.version,
      calledAs: options.calledAs ?? 'anneal',
      workspace,
      feeds,
      queue,
      scheduler,
      access,
      tokens,
      secrets,
      endpoints,
      ownApi: () => `${url}/v1`,
      audit,
      telemetry,
      jobs,
      chattables,
      models,
      conversations,
      data,
      batches,
      firstBatches,
      estimates,
      documents,
    };
    const name = nameOf(address.host, options.allowedHosts);
    const check = new RequestCheck([...options.allowedHosts, name], { secure: address.tls !== undefined });
    const sockets = new Sockets({ agent, access, check, log: options.log });
    const callers = new Callers(state.id, access, tokens);
    const http = createHttp({
      agentId: state.id,
      version: manifest.version,
      access,
      audit,
      studio,
      callers,
      api: createApi({
        callers,
        chattables,
        models,
        log: options.log,
      }),
      data,
      feeds,
      uploads: new Uploads(workspace, basePath),
      metrics: () => metricsText(agent),
      log: options.log,
      cookiePlace: { basePath, secure: address.tls !== undefined },
      onSignOut: (token) => sockets.endSession(token),
      download: async ({ run, key, file }, request) => {
        const [exported] = (await exportsNamed(workspace, await feeds.get(run), [key])) as [ListedExport];
        return answerWith(file === undefined ? exported : fileOf(exported, file), request);
      },
    });
    const answer = getRequestListener(http.fetch, { overrideGlobalObjects: false });
    const serving = { connectionsCheckingInterval, shouldUpgradeCallback: asksForSocket };
    const server = address.tls ? createSecureServer({ ...address.tls, ...serving }) : createServer(serving);
    limit(server);
    server.on('request', (request, response) => {
      request.url = withoutBasePath(basePath, request.url ?? '/');
      const refusal = check.refusal(request);
      if (!refusal) return void answer(request, response);
      options.log(`refused ${request.method} ${request.url}: ${refusal}`);
      response.writeHead(403, { 'Content-Type': 'text/plain' }).end(`This request is refused: ${refusal}.\n`);
    });
    server.on('upgrade', (request, socket, head) => {
      request.url = withoutBasePath(basePath, request.url ?? '/');
      sockets.upgrade(request, socket, head);
    });
    const url = `${await listen(server, address, name)}${basePath}`;
    state.recordServed({ url, ...(workspace.runsFolder !== undefined && { runsFolder: workspace.runsFolder }) });
    queue.read(); // a damaged one is said now
    void scheduler.look();
    return {
      url,
      pairingLink: async () => pairingLink(url, await access.newCode()),
      async close() {
        scheduler.close();
        telemetry.close();
        feeds.close();
        await Promise.all([data.close(), batches.close(), firstBatches.close()]);
        sockets.close();
        const jobsEnded = jobs.close();
        await documents.close();
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        const late = setTimeout(() => {
          sockets.terminate();
          server.closeAllConnections();
        }, patienceMilliseconds);
        server.closeIdleConnections();
        await conversations.close();
        await Promise.all([closed, models.close()]);
        clearTimeout(late);
        await jobsEnded;
        index.close();
        lock.release();
      },
    };
  } catch (error) {
    index.close();
    lock.release();
    throw error;
  }
}

/** Clients offer other protocols beside what they ask for, as Java's does HTTP/2: they are answered as if they did not. */
function asksForSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** A client that sends slowly, or nothing, holds a connection for only so long. */
function limit(server: Server): void {
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.maxHeadersCount = 100;
}

async function listen(server: Server, { host, port, tls }: Address, name: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  return `${tls ? 'https' : 'http'}://${name}:${(server.address() as AddressInfo).port}`;
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  const where = `${host}:${port}`;
  if (cause.code === 'EADDRINUSE') {
    return new UserError({
      what: 'another program listens at this address',
      where,
      next: 'choose another port with --port, or 0 for any that is free',
      code: 'address_in_use',
      cause,
    });
  }
  return new UserError({
    what: `the agent cannot listen there (${cause.code})`,
    where,
    next: 'choose an address of this machine with --host, and a port above 1023 with --port',
    code: 'address_not_usable',
    cause,
  });
}
