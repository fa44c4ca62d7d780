/** The recipes that people have open, and their sockets: Yjs documents, sent about by Hocuspocus. */
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { type Connection, type Document, Hocuspocus } from '@hocuspocus/server';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { hashOf } from '../auth/secrets.ts';
import type { Workspace } from '../workspace.ts';
import { identify } from './identify.ts';
import { RecipeDocument, type RecipePlace } from './recipeDocument.ts';
import { mostCharacters } from './recipeFile.ts';
import { RecipeHistory } from './recipeHistory.ts';

/** What the agent has decided about a socket before it was opened. */
export interface EditorRights {
  /** May see, and not change: what it sends is not applied. */
  readOnly: boolean;
}

/** A socket shows one recipe, and one more while it changes to another. */
const mostDocuments = 4;
/** A client says something every 15 seconds, if only that it is there. */
const silenceMilliseconds = 60_000;
/** What a document may grow to in the memory of Yjs, deleted text included. */
const mostBytes = 8 << 20;

/** What editors tell one another about themselves. */
const presenceSchema = z.object({
  user: z.object({ name: z.string().min(1).max(40), color: z.int().min(0).max(99) }).optional(),
  selection: z.unknown().optional(),
});
const mostPresenceCharacters = 2048;
const mostPresences = 8;

/** Why a client is not let into a document, as its browser learns it. */
class Refusal {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export class RecipeDocuments {
  readonly #workspace: Workspace;
  readonly #folder: string;
  readonly #log: (text: string) => void;
  readonly #open = new Map<string, RecipeDocument>();
  /** Of each recipe, the making of its document: two would be two documents. */
  readonly #naming = new Map<string, Promise<string>>();
  readonly #hocuspocus: Hocuspocus<EditorRights>;

  /** @param folder of the agent's state */
  constructor({ workspace, folder, log }: { workspace: Workspace; folder: string; log: (text: string) => void }) {
    this.#workspace = workspace;
    this.#folder = join(folder, 'recipes');
    this.#log = log;
    this.#hocuspocus = new Hocuspocus<EditorRights>({
      timeout: silenceMilliseconds,
      maxPendingDocuments: mostDocuments,
      maxUnauthenticatedQueueSize: 1 << 20,
      onConnect: async ({ documentName, connectionConfig, context }) => {
        if ((await this.#nameOf(keyIn(documentName)).catch(() => undefined)) !== documentName)
          throw new Refusal('document_gone');
        connectionConfig.readOnly = context.readOnly;
      },
      onLoadDocument: ({ documentName, document }) => this.#load(documentName, document),
      connected: async ({ connection, documentName }) => {
        connection.sendStateless(JSON.stringify(this.#open.get(documentName)?.state));
      },
      beforeHandleMessage: async ({ documentName, document, update }) => {
        const characters = document.getText('recipe').length;
        const size = (this.#open.get(documentName)?.size ?? 0) + update.length;
        if (size > mostBytes || characters + update.length > 2 * mostCharacters) throw new Refusal('recipe_too_large');
      },
      beforeHandleAwareness: async ({ states }) => refuseStrangePresence(states),
      onChange: async ({ documentName, document, connection }) => {
        const name = connection && nameIn(document, connection);
        if (name !== undefined) this.#open.get(documentName)?.edited(name);
      },
      beforeUnloadDocument: async ({ documentName }) => {
        await this.#open.get(documentName)?.close();
      },
      afterUnloadDocument: async ({ documentName }) => void this.#open.delete(documentName),
    });
  }

  /** What a browser calls the document of a recipe. @throws UserError where there is no such recipe, or none that can be edited */
  name(key: string): Promise<string> {
    return this.#nameOf(key);
  }

  /** Where a recipe lies, or lay if somebody has it open. @throws UserError `recipe_not_found` */
  path(key: string): string {
    return this.#openedAs(key)?.path ?? this.#workspace.recipe(key);
  }

  connect(socket: WebSocket, request: IncomingMessage, rights: EditorRights): void {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const client = this.#hocuspocus.handleConnection(socket, new Request(url), rights);
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) client.handleMessage(new Uint8Array(data));
      else socket.close(1003, 'messages are binary');
    });
    socket.once('close', (code, reason) => client.handleClose({ code, reason: reason.toString() }));
  }

  /** Works with a recipe's document, whether anybody has it open or not. */
  async use<T>(key: string, work: (recipe: RecipeDocument) => Promise<T>): Promise<T> {
    const name = await this.name(key);
    const connection = await this.#hocuspocus.openDirectConnection(name, { readOnly: false });
    try {
      return await work(this.#open.get(name) as RecipeDocument);
    } finally {
      await connection.disconnect();
    }
  }

  history(key: string): RecipeHistory {
    this.path(key);
    return new RecipeHistory(this.#folderOf(key));
  }

  /** Brings every file up to date. Nobody may be let in any more. */
  async close(): Promise<void> {
    this.#hocuspocus.closeConnections();
    await Promise.all([...this.#open.values()].map((recipe) => recipe.close()));
  }

  async #nameOf(key: string): Promise<string> {
    const open = this.#openedAs(key);
    if (open) return open.name;
    const known = this.#naming.get(key);
    if (known) return known;
    const naming = identify(this.#placeOf(key))
      .then((id) => `${key}#${id}`)
      .finally(() => this.#naming.delete(key));
    this.#naming.set(key, naming);
    return naming;
  }

  #openedAs(key: string): { name: string; path: string } | undefined {
    for (const [name, { path }] of this.#open) if (keyIn(name) === key) return { name, path };
    return undefined;
  }

  async #load(name: string, document: Document): Promise<void> {
    try {
      const place = this.#placeOf(keyIn(name));
      this.#open.set(
        name,
        await RecipeDocument.load(place, document, (state) => document.broadcastStateless(JSON.stringify(state))),
      );
    } catch (error) {
      this.#log(`cannot open ${name}: ${(error as Error).message}`);
      throw new Refusal('document_failed');
    }
  }

  #placeOf(key: string): RecipePlace {
    const folder = this.#folderOf(key);
    makeFolder(folder);
    return { key, path: this.#workspace.recipe(key), folder };
  }

  #folderOf(key: string): string {
    return join(this.#folder, hashOf(key).slice(0, 16));
  }
}

/** A document is called by its recipe and its own id. */
const keyIn = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('#')));

function nameIn(document: Document, connection: Connection): string | undefined {
  for (const client of document.getClients(connection)) {
    const name = document.awareness.getStates().get(client)?.user?.name;
    if (typeof name === 'string') return name;
  }
  return undefined;
}

function refuseStrangePresence(states: Map<number, Record<string, unknown>>): void {
  const isStrange = [...states.values()].some(
    (state) => !presenceSchema.safeParse(state).success || JSON.stringify(state).length > mostPresenceCharacters,
  );
  if (isStrange || states.size > mostPresences) throw new Refusal('presence_refused');
}
