/** A recipe as it is edited by everybody who has it open. Outside of React: the text never goes through it. */
import type { RecipeFileState } from '@anneal/core/protocol/studio';
import type { TextEdit } from '@anneal/core/recipe/edit';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import * as Y from 'yjs';
import { socketUrl } from '../../../agent/paths.ts';
import { createStore } from '../../../agent/store.ts';
import { myself, type Person } from './me.ts';

export interface Presence extends Person {
  /** Of one page: somebody may have several open. */
  id: number;
  isMe: boolean;
}

export interface LiveState {
  /** `refused`: this document is none any more, and the page has to open the recipe anew. */
  stage: 'opening' | 'open' | 'refused';
  /** The agent does not answer. What is written is kept here, and goes to it when it is back. */
  isAway: boolean;
  /** May look, and not write: as the agent has decided. */
  isReadOnly: boolean;
  /** The agent does not have everything yet. */
  isUnsent: boolean;
  file: RecipeFileState;
  people: readonly Presence[];
}

const longestWaitMilliseconds = 5000;
/** What is written without a longer pause is taken back as one. */
const longestStepPauseMilliseconds = 1500;

export class LiveRecipe {
  readonly document = new Y.Doc();
  readonly text = this.document.getText('recipe');
  /** Of what is changed here, by `edit` and by the editors that add themselves to what it tracks. */
  readonly undo = new Y.UndoManager(this.text, {
    trackedOrigins: new Set([this]),
    captureTimeout: longestStepPauseMilliseconds,
  });
  readonly provider: HocuspocusProvider;
  readonly #socket: HocuspocusProviderWebsocket;
  readonly #store = createStore<LiveState>({
    stage: 'opening',
    isAway: false,
    isReadOnly: false,
    isUnsent: false,
    file: { file: 'written', error: null, merged: false, newestVersion: null },
    people: [],
  });
  readonly state = this.#store.read;
  readonly #stopIntroducing: () => void;

  /** @param name of the document, as the agent calls it */
  constructor(name: string) {
    this.#socket = new HocuspocusProviderWebsocket({
      url: socketUrl('/recipes/live'),
      delay: 250,
      minDelay: 250,
      maxDelay: longestWaitMilliseconds,
      onDisconnect: () => this.#set({ isAway: true }),
    });
    this.provider = new HocuspocusProvider({
      websocketProvider: this.#socket,
      name,
      document: this.document,
      onAuthenticated: ({ scope }) => this.#set({ isReadOnly: scope === 'readonly' }),
      onAuthenticationFailed: () => {
        this.#socket.disconnect();
        this.#set({ stage: 'refused' });
      },
      onSynced: () => this.#set({ stage: 'open', isAway: false }),
      onUnsyncedChanges: ({ number }) => this.#set({ isUnsent: number > 0 }),
      onStateless: ({ payload }) => this.#set({ file: JSON.parse(payload) as RecipeFileState }),
      onAwarenessChange: ({ states }) => this.#set({ people: this.#peopleOf(states) }),
    });
    this.provider.attach();
    const introduce = () => this.provider.setAwarenessField('user', myself.get());
    introduce();
    this.#stopIntroducing = myself.subscribe(introduce);
  }

  /** Resolves when the agent has everything that was written here. */
  async sent(): Promise<void> {
    while (this.state.get().isUnsent || this.state.get().isAway) {
      await new Promise<void>((resolve) => {
        const stop = this.state.subscribe(() => {
          stop();
          resolve();
        });
      });
    }
  }

  edit({ at, remove, insert }: TextEdit): void {
    this.document.transact(() => {
      if (remove > 0) this.text.delete(at, remove);
      if (insert !== '') this.text.insert(at, insert);
    }, this);
  }

  close(): void {
    this.#stopIntroducing();
    this.undo.destroy();
    this.provider.destroy();
    this.#endSocket();
    this.document.destroy();
  }

  /** One that is still being connected ends afterwards: browsers complain of a socket that is closed before it is open. */
  #endSocket(): void {
    const { webSocket } = this.#socket;
    const end = () => this.#socket.destroy();
    if (webSocket?.readyState !== WebSocket.CONNECTING) return end();
    for (const event of ['open', 'error']) webSocket.addEventListener(event, end, { once: true });
  }

  #set(change: Partial<LiveState>): void {
    this.#store.set({ ...this.state.get(), ...change });
  }

  #peopleOf(states: readonly { clientId: number; user?: Person }[]): Presence[] {
    return states
      .flatMap(({ clientId, user }) =>
        user ? [{ ...user, id: clientId, isMe: clientId === this.document.clientID }] : [],
      )
      .sort((a, b) => Number(b.isMe) - Number(a.isMe) || a.id - b.id);
  }
}
