/** One conversation while it is looked at or answered. It goes on without a browser; whoever comes back gets the whole of it. */
import { UserError } from '@anneal/core/errors';
import type { AnswerPiece, AnswerRequest, Message } from '@anneal/core/protocol/chat';
import { openCalls } from '@anneal/core/protocol/chatTerms';
import {
  type ChatSettings,
  type Conversation,
  type ConversationAnswer,
  type ShownToken,
} from '@anneal/core/protocol/conversations';
import { fillIn, unanswered } from './answering.ts';
import type { Chattables } from './chattables.ts';
import type { ConversationFiles } from './conversationFiles.ts';
import type { LoadedModels } from './loadedModels.ts';
import { partAsMessages, saidIn, toolsOf, wordsOf } from './tools.ts';

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
   * @throws UserError `conversation_answering`, `conversation_too_long`, `tools_invalid`
   */
  ask(text: string, models: readonly string[], settings: ChatSettings, replacing?: number): void {
    this.#refuseWhileAnswering();
    toolsOf(settings);
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
    turns.push({ text, answers: models.map((model) => unanswered(model, settings.seed)), others: [] });
    this.#begin(turns.length - 1);
  }

  /** Answers the last question anew, each time with the next seed. @throws UserError `conversation_answering`, `tools_invalid` */
  regenerate(models: readonly string[], settings: ChatSettings): void {
    this.#refuseWhileAnswering();
    toolsOf(settings);
    const turn = this.#conversation.turns.at(-1);
    if (!turn) return;
    const seed = ((turn.answers[0]?.seed ?? settings.seed) + 1) % 2 ** 32;
    this.#conversation.models = [...models];
    this.#conversation.settings = settings;
    turn.answers = models.map((model) => unanswered(model, seed));
    turn.others = [];
    this.#begin(this.#conversation.turns.length - 1);
  }

  /**
   * Goes on with an answer to the last question, with what the tools gave that it called; where it was broken off while it went on,
   * once more from there.
   * @throws UserError `conversation_answering`, `tool_results`
   */
  goOn(column: number, results: readonly string[]): void {
    const turn = this.#conversation.turns.at(-1);
    const answer = turn?.answers[column];
    if (answer && this.#ongoing.has(answer)) this.#refuseWhileAnswering();
    const called = answer ? openCalls(answer) : [];
    if (!turn || !answer || called.length !== results.length) {
      throw new UserError({
        what: `the last answer there has ${called.length} calls of tools, and ${results.length} results came`,
        next: 'give one result for each call',
        code: 'tool_results',
      });
    }
    const calls = called.map((call, at) => ({ ...call, result: results[at] as string }));
    const again = answer.calls.length === 0 ? answer.earlier.at(-1) : undefined;
    const before = again ? answer.earlier.slice(0, -1) : answer.earlier;
    const part = { text: again?.text ?? wordsOf(answer), calls };
    turn.answers[column] = { ...unanswered(answer.model, answer.seed), earlier: [...before, part] };
    turn.others = turn.others.filter((other) => other.column !== column);
    this.#begin(this.#conversation.turns.length - 1, column);
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

  /** @param only one column; by default all of them */
  #begin(turn: number, only?: number): void {
    const { answers } = this.#conversation.turns[turn] as Conversation['turns'][number];
    this.shape++;
    for (const [column, answer] of answers.entries()) {
      if (only !== undefined && column !== only) continue;
      const abort = new AbortController();
      const ongoing: Ongoing = { answer, tokens: [], abort, end: Promise.resolve() };
      this.#ongoing.set(answer, ongoing);
      ongoing.end = this.#answer(turn, column, ongoing);
    }
    this.#changed('now');
  }

  async #answer(turn: number, column: number, { answer, tokens, abort: { signal } }: Ongoing): Promise<void> {
    const { files, log } = this.#parts;
    await fillIn(answer, this.#requestOf(turn, column), {
      ...this.#parts,
      client: this.#client,
      signal,
      onToken: (token) => tokens.push(shownOf(token)),
      onChange: () => this.#changed('soon'),
    });
    this.#ongoing.delete(answer);
    try {
      files.writeTokens(this.#conversation.id, turn, column, tokens);
      this.#changed('now');
    } catch (error) {
      log(`a conversation is not saved: ${String(error)}`);
    }
  }

  /**
   * What another checkpoint of the same run answers to the last question, after the same conversation and with the same seed. It is
   * made once, and then kept with the question.
   * @param onChange is told of the answer as it comes
   * @throws UserError `not_of_this_run`, `conversation_answering`, and what finding the model may throw
   */
  async other(
    column: number,
    model: string,
    onChange: (answer: ConversationAnswer) => void,
    signal: AbortSignal,
  ): Promise<ConversationAnswer> {
    this.#refuseWhileAnswering();
    const { turns } = this.#conversation;
    const asked = turns.at(-1);
    const of = asked?.answers[column];
    if (!asked || !of) throw notOfThisRun(model);
    await this.#requireSameRun(of.model, model);
    const known = () => asked.others.find((one) => one.model === model && one.column === column);
    const kept = known();
    if (kept) return kept;
    const answer = { ...unanswered(model, of.seed), column };
    const { topLogprobs: _, ...request } = this.#requestOf(turns.length - 1, column);
    const tell = () => onChange({ ...answer });
    await fillIn(answer, request, { ...this.#parts, client: this.#client, signal, onChange: tell });
    // The question may have got other answers in the meantime.
    if (answer.state === 'done' && asked.answers[column] === of && !known()) {
      asked.others.push(answer);
      this.shape++;
      this.#changed('now');
    }
    return answer;
  }

  async #requireSameRun(model: string, other: string): Promise<void> {
    const [one, two] = await Promise.all([model, other].map((id) => this.#parts.chattables.find(id)));
    if (one?.run === undefined || one.run !== two?.run) throw notOfThisRun(other);
  }

  get #client(): string {
    return `conversation ${this.#conversation.id}`;
  }

  /** What this column has said so far is its own; where it was not there yet, what the first one said. */
  #requestOf(turn: number, column: number): AnswerRequest {
    const { turns, settings } = this.#conversation;
    const { system, tools, ...options } = settings;
    const asked = turns[turn] as Conversation['turns'][number];
    const { model, seed, earlier } = asked.answers[column] as ConversationAnswer;
    const messages: Message[] = system.trim() === '' ? [] : [{ role: 'system', content: system }];
    for (const { text, answers } of turns.slice(0, turn)) {
      const own = answers.find((answer) => answer.model === model) ?? answers[0];
      messages.push({ role: 'user', content: text }, ...(own ? saidIn(own) : []));
    }
    messages.push({ role: 'user', content: asked.text }, ...earlier.flatMap(partAsMessages));
    return { ...options, seed, messages, tools: toolsOf({ tools }), topLogprobs };
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

function notOfThisRun(model: string): UserError {
  return new UserError({
    what: 'this is no checkpoint of the run that has answered there',
    where: model,
    next: 'choose a checkpoint of the same run, or what it began with',
    code: 'not_of_this_run',
  });
}
