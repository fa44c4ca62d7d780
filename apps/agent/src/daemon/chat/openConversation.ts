/** One conversation while it is looked at or answered. It goes on without a browser; whoever comes back gets the whole of it. */
import { UserError } from '@anneal/core/errors';
import type { AnswerPiece, AnswerRequest, LoadProgress, Message } from '@anneal/core/protocol/chat';
import {
  type ChatSettings,
  type Conversation,
  type ConversationAnswer,
  type ShownToken,
} from '@anneal/core/protocol/conversations';
import { finish } from '../../service/finish.ts';
import type { Chattables } from './chattables.ts';
import type { ConversationFiles } from './conversationFiles.ts';
import type { LoadedModels } from './loadedModels.ts';

/** For the view of tokens. */
const topLogprobs = 5;
/** A killed agent loses no more of an answer than this. */
const saveEveryMilliseconds = 2000;
const mostTurns = 500;

export interface ConversationParts {
  files: ConversationFiles;
  chattables: Chattables;
  models: LoadedModels;
  /** Is told of defects. */
  log: (text: string) => void;
}

interface Ongoing {
  answer: ConversationAnswer;
  tokens: ShownToken[];
  abort: AbortController;
  end: Promise<void>;
}

export class OpenConversation {
  readonly #parts: ConversationParts;
  readonly #conversation: Conversation;
  readonly #ongoing = new Map<ConversationAnswer, Ongoing>();
  readonly #listeners = new Set<() => void>();
  /** Higher after every change that is more than a piece of an answer. */
  shape = 0;
  #savedAt = 0;

  constructor(parts: ConversationParts, conversation: Conversation) {
    this.#parts = parts;
    this.#conversation = conversation;
  }

  get conversation(): Conversation {
    return this.#conversation;
  }

  get answering(): boolean {
    return this.#ongoing.size > 0;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * A question, answered by these models. Instead of turn `replacing` and all after it, where that is given.
   * @throws UserError `conversation_answering`, `conversation_too_long`
   */
  ask(text: string, models: readonly string[], settings: ChatSettings, replacing?: number): void {
    this.#refuseWhileAnswering();
    const { turns } = this.#conversation;
    if (replacing !== undefined) turns.splice(replacing);
    if (turns.length >= mostTurns) {
      throw new UserError({
        what: `a conversation has at most ${mostTurns} turns`,
        next: 'begin a new one',
        code: 'conversation_too_long',
      });
    }
    this.#conversation.models = [...models];
    this.#conversation.settings = settings;
    turns.push({ text, answers: models.map((model) => unanswered(model, settings.seed)) });
    this.#begin(turns.length - 1);
  }

  /** Answers the last question anew, each time with the next seed. @throws UserError `conversation_answering` */
  regenerate(models: readonly string[], settings: ChatSettings): void {
    this.#refuseWhileAnswering();
    const turn = this.#conversation.turns.at(-1);
    if (!turn) return;
    const seed = ((turn.answers[0]?.seed ?? settings.seed) + 1) % 2 ** 32;
    this.#conversation.models = [...models];
    this.#conversation.settings = settings;
    turn.answers = models.map((model) => unanswered(model, seed));
    this.#begin(this.#conversation.turns.length - 1);
  }

  /** Ends what is being answered, with what there is of it. Resolves when it has ended. */
  async stop(column?: number): Promise<void> {
    const answers = this.#conversation.turns.at(-1)?.answers ?? [];
    const wanted = [...this.#ongoing.values()].filter(
      ({ answer }) => column === undefined || answers[column] === answer,
    );
    for (const { abort } of wanted) abort.abort();
    await Promise.all(wanted.map(({ end }) => end));
  }

  /** Of each answer to one question. */
  tokens(turn: number): ShownToken[][] {
    const answers = this.#conversation.turns[turn]?.answers ?? [];
    return answers.map(
      (answer, column) =>
        this.#ongoing.get(answer)?.tokens ?? this.#parts.files.tokens(this.#conversation.id, turn, column),
    );
  }

  #refuseWhileAnswering(): void {
    if (!this.answering) return;
    throw new UserError({
      what: 'the last question is still being answered',
      next: 'wait for it, or stop it',
      code: 'conversation_answering',
    });
  }

  #begin(turn: number): void {
    const { answers } = this.#conversation.turns[turn] as Conversation['turns'][number];
    this.shape++;
    for (const [column, answer] of answers.entries()) {
      const abort = new AbortController();
      const ongoing: Ongoing = { answer, tokens: [], abort, end: Promise.resolve() };
      this.#ongoing.set(answer, ongoing);
      ongoing.end = this.#answer(turn, column, ongoing);
    }
    this.#changed('now');
  }

  /** Never rejects. */
  async #answer(turn: number, column: number, { answer, tokens, abort: { signal } }: Ongoing): Promise<void> {
    const { chattables, models, files, log } = this.#parts;
    const began = performance.now();
    let first: number | undefined;
    const tell = (progress: LoadProgress | AnswerPiece): void => {
      if ('loaded' in progress) {
        Object.assign(answer, { state: 'loading', loaded: progress.loaded / Math.max(1, progress.total) });
      } else {
        first ??= performance.now();
        const seconds = (performance.now() - first) / 1000;
        answer.state = 'answering';
        answer.loaded = null;
        answer.text += progress.text;
        answer.tokens = progress.tokens;
        answer.firstMilliseconds = first - began;
        answer.tokensPerSecond = seconds > 0 ? (progress.tokens - 1) / seconds : null;
        if (progress.token) tokens.push(shownOf(progress.token));
      }
      this.#changed('soon');
    };
    try {
      const wanted = await chattables.find(answer.model);
      const how = { client: `conversation ${this.#conversation.id}`, signal };
      const request = this.#requestOf(turn, column);
      answer.note = (await models.unread(wanted, request, how))?.why ?? null;
      const end = await finish(models.answer(wanted, request, how), tell);
      Object.assign(answer, {
        state: end.reason === 'interrupted' ? 'stopped' : 'done',
        reason: end.reason,
        promptTokens: end.promptTokens,
        tokensPerSecond: end.tokensPerSecond,
      });
    } catch (error) {
      if (signal.aborted) Object.assign(answer, { state: 'stopped', reason: 'interrupted' });
      else if (error instanceof UserError) Object.assign(answer, { state: 'failed', error: error.toJSON() });
      else {
        log(`defect in a conversation: ${error instanceof Error ? error.stack : String(error)}`);
        const what = 'unexpected error in the agent; its output says more';
        Object.assign(answer, { state: 'failed', error: { code: 'internal_error', what } });
      }
    }
    answer.loaded = null;
    this.#ongoing.delete(answer);
    try {
      files.writeTokens(this.#conversation.id, turn, column, tokens);
      this.#changed('now');
    } catch (error) {
      log(`a conversation is not saved: ${String(error)}`);
    }
  }

  /** What this column has said so far is its own; where it was not there yet, what the first one said. */
  #requestOf(turn: number, column: number): AnswerRequest {
    const { turns, settings } = this.#conversation;
    const { system, ...options } = settings;
    const asked = turns[turn] as Conversation['turns'][number];
    const { model, seed } = asked.answers[column] as ConversationAnswer;
    const messages: Message[] = system.trim() === '' ? [] : [{ role: 'system', content: system }];
    for (const { text, answers } of turns.slice(0, turn)) {
      const own = answers.find((answer) => answer.model === model) ?? answers[0];
      messages.push({ role: 'user', content: text }, { role: 'assistant', content: own?.text ?? '' });
    }
    messages.push({ role: 'user', content: asked.text });
    return { ...options, seed, messages, topLogprobs };
  }

  #changed(save: 'now' | 'soon'): void {
    const now = Date.now();
    if (save === 'now' || now - this.#savedAt >= saveEveryMilliseconds) {
      this.#savedAt = now;
      this.#conversation.changed = new Date(now).toISOString();
      this.#parts.files.write(this.#conversation);
    }
    for (const listener of this.#listeners) listener();
  }
}

function unanswered(model: string, seed: number): ConversationAnswer {
  return {
    model,
    seed,
    state: 'waiting',
    text: '',
    tokens: 0,
    promptTokens: null,
    loaded: null,
    firstMilliseconds: null,
    tokensPerSecond: null,
    reason: null,
    note: null,
    error: null,
  };
}

/** Bytes and digits beyond the fourth are no use in a view. */
function shownOf({ id, text, logprob, top }: NonNullable<AnswerPiece['token']>): ShownToken {
  return {
    id,
    text,
    logprob: short(logprob),
    top: top.map((other) => ({ id: other.id, text: other.text, logprob: short(other.logprob) })),
  };
}

function short(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
