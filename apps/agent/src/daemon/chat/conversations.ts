/** All conversations of this agent: which there are, and those that are open. */
import { randomUUID } from 'node:crypto';
import { UserError } from '@anneal/core/errors';
import type { ChatSettings, Conversation, ConversationSummary } from '@anneal/core/protocol/conversations';
import { type ConversationParts, OpenConversation } from './openConversation.ts';

const titleLength = 80;

export class Conversations {
  readonly #parts: ConversationParts;
  readonly #open = new Map<string, OpenConversation>();
  readonly #summaries = new Map<string, ConversationSummary>();
  readonly #listeners = new Set<() => void>();

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    for (const id of parts.files.ids()) {
      try {
        this.#summaries.set(id, summaryOf(parts.files.read(id), false));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        parts.log(error.message);
      }
    }
  }

  /** The one that was changed last first. */
  list(): ConversationSummary[] {
    return [...this.#summaries.values()].sort((a, b) => (a.changed < b.changed ? 1 : a.changed > b.changed ? -1 : 0));
  }

  /** Calls `listener` after changes of the list. Returns how to end that. */
  onListChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  create(models: readonly string[], settings: ChatSettings): OpenConversation {
    const now = new Date().toISOString();
    const conversation: Conversation = {
      id: randomUUID(),
      created: now,
      changed: now,
      models: [...models],
      settings,
      turns: [],
    };
    return this.#hold(conversation);
  }

  /** @throws UserError `conversation_not_found`, `conversation_damaged` */
  get(id: string): OpenConversation {
    return this.#open.get(id) ?? this.#hold(this.#parts.files.read(id));
  }

  /** It can be brought back for a day. */
  async remove(id: string): Promise<void> {
    const conversation = this.get(id);
    await conversation.stop();
    this.#open.delete(id);
    this.#summaries.delete(id);
    this.#parts.files.remove(id);
    this.#changed();
  }

  restore(id: string): void {
    this.#parts.files.restore(id);
    this.#summaries.set(id, summaryOf(this.#parts.files.read(id), false));
    this.#changed();
  }

  /** Ends what is being answered. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((conversation) => conversation.stop()));
  }

  #hold(conversation: Conversation): OpenConversation {
    const opened = new OpenConversation(this.#parts, conversation);
    this.#open.set(conversation.id, opened);
    opened.onChange(() => {
      const before = this.#summaries.get(conversation.id);
      const now = summaryOf(conversation, opened.answering);
      if (before?.changed === now.changed && before.answering === now.answering) return;
      this.#summaries.set(conversation.id, now);
      this.#changed();
    });
    return opened;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function summaryOf({ id, turns, changed, models }: Conversation, answering: boolean): ConversationSummary {
  const question = turns[0]?.text.trim().replaceAll(/\s+/g, ' ') ?? '';
  const title = question.length > titleLength ? `${question.slice(0, titleLength).toWellFormed()}…` : question;
  return { id, title, changed, models, answering };
}
