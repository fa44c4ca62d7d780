/** Conversations on the disk: a folder each in the agent's own state, for they are of this user and no part of a project. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { isOngoing } from '@anneal/core/protocol/chatTerms';
import {
  type Conversation,
  conversationSchema,
  type ShownToken,
  shownToken,
} from '@anneal/core/protocol/conversations';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { z } from 'zod';

const removedEnding = '.removed';
/** So long one that was removed can be brought back. */
const keptMilliseconds = 24 * 3600_000;

export class ConversationFiles {
  readonly #folder: string;

  /** @param folder of the agent's own state */
  constructor(folder: string) {
    this.#folder = join(folder, 'conversations');
    makeFolder(this.#folder);
    for (const name of readdirSync(this.#folder)) {
      const path = join(this.#folder, name);
      if (name.endsWith(removedEnding) && Date.now() - statSync(path).ctimeMs > keptMilliseconds) {
        rmSync(path, { recursive: true, force: true });
      }
    }
  }

  ids(): string[] {
    return readdirSync(this.#folder).filter((name) => isId(name));
  }

  /** What was being answered when an agent died was stopped there. @throws UserError `conversation_not_found`, `conversation_damaged` */
  read(id: string): Conversation {
    if (!isId(id) || !existsSync(join(this.#folder, id))) throw notFound(id);
    const path = join(this.#folder, id, 'conversation.json');
    const conversation = parsed(path, conversationSchema);
    for (const answer of conversation.turns.flatMap(({ answers }) => answers)) {
      if (isOngoing(answer)) Object.assign(answer, { state: 'stopped', reason: 'interrupted', loaded: null });
    }
    return conversation;
  }

  write(conversation: Conversation): void {
    makeFolder(join(this.#folder, conversation.id));
    const text = `${JSON.stringify(conversation)}\n`;
    replaceFile(join(this.#folder, conversation.id, 'conversation.json'), text, { sync: false });
  }

  /** Empty where the answer has none that were told. */
  tokens(id: string, turn: number, column: number): ShownToken[] {
    const path = this.#tokensPath(id, turn, column);
    return existsSync(path) ? parsed(path, z.array(shownToken)) : [];
  }

  writeTokens(id: string, turn: number, column: number, tokens: readonly ShownToken[]): void {
    replaceFile(this.#tokensPath(id, turn, column), `${JSON.stringify(tokens)}\n`, { sync: false });
  }

  /** Puts it aside. */
  remove(id: string): void {
    renameSync(join(this.#folder, id), join(this.#folder, `${id}${removedEnding}`));
  }

  /** @throws UserError `conversation_not_found` */
  restore(id: string): void {
    const removed = join(this.#folder, `${id}${removedEnding}`);
    if (!isId(id) || !existsSync(removed)) throw notFound(id);
    renameSync(removed, join(this.#folder, id));
  }

  #tokensPath(id: string, turn: number, column: number): string {
    if (!isId(id)) throw notFound(id);
    return join(this.#folder, id, `tokens-${turn}-${column}.json`);
  }
}

/** As `randomUUID` makes them: never a path. */
function isId(text: string): boolean {
  return /^[0-9a-f-]{36}$/.test(text);
}

function parsed<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new UserError({
      what: 'this file of a conversation cannot be read',
      where: path,
      next: 'delete the conversation',
      code: 'conversation_damaged',
      cause,
    });
  }
}

function notFound(id: string): UserError {
  return new UserError({
    what: 'there is no such conversation',
    where: id,
    next: 'it may have been deleted: look at the list of conversations',
    code: 'conversation_not_found',
  });
}
