/** Talking to models: which there are, and conversations that go on without a browser. */
import { UserError } from '@anneal/core/errors';
import {
  type AnswerEnd,
  type AnswerPiece,
  answerRequest,
  type ChatMemory,
  type LoadProgress,
} from '@anneal/core/protocol/chat';
import { isOngoing, mostColumns } from '@anneal/core/protocol/chatTerms';
import type { Chattable, LoadedModel } from '@anneal/core/protocol/chattable';
import {
  type ConversationAnswer,
  type ConversationNews,
  type ConversationSummary,
  chatSettings,
  type ShownToken,
} from '@anneal/core/protocol/conversations';
import { z } from 'zod';
import { eachChange } from '../../service/eachChange.ts';
import { finish } from '../../service/finish.ts';
import { toolNames, toolsOf } from '../chat/tools.ts';
import { newestOf } from './newestOf.ts';
import { nothing, procedure, router } from './trpc.ts';

const model = z.string().min(1).max(1024);
const models = z.array(model).min(1).max(mostColumns);
const named = z.strictObject({ conversation: z.string().min(1).max(64) });
const text = z.string().trim().min(1).max(200_000);
const turn = z.int().min(0);

export const chat = router({
  /** What one can talk to. */
  models: procedure.input(nothing).query(({ ctx }): Promise<Chattable[]> => ctx.agent.chattables.list()),

  /** What loading it would take of the memory; null where it is loaded. */
  memory: procedure.input(z.strictObject({ model })).query(async ({ ctx, input }): Promise<ChatMemory | null> => {
    const { chattables, models: loaded } = ctx.agent;
    return (await loaded.measure(await chattables.find(input.model))) ?? null;
  }),

  /** The models that are loaded, now and after every change. */
  loaded: procedure.input(nothing).subscription(async function* ({ ctx, signal }): AsyncGenerator<LoadedModel[]> {
    const abort = signal ?? new AbortController().signal;
    const { models: loaded } = ctx.agent;
    for await (const _ of eachChange((listener) => loaded.onChange(listener), abort)) {
      await ctx.pace.turn(abort);
      yield loaded.list();
    }
  }),

  unload: procedure.input(z.strictObject({ model })).mutation(({ ctx, input }) => ctx.agent.models.unload(input.model)),

  /** Every conversation, now and after every change of one. */
  list: procedure.input(nothing).subscription(async function* ({ ctx, signal }): AsyncGenerator<ConversationSummary[]> {
    const abort = signal ?? new AbortController().signal;
    const { conversations } = ctx.agent;
    for await (const _ of eachChange((listener) => conversations.onListChange(listener), abort)) {
      await ctx.pace.turn(abort);
      yield conversations.list();
    }
  }),

  /** The whole of it, then what is new. A client that comes back gets the whole again. */
  follow: procedure.input(named).subscription(async function* ({
    ctx,
    input,
    signal,
  }): AsyncGenerator<ConversationNews> {
    const abort = signal ?? new AbortController().signal;
    const opened = ctx.agent.conversations.get(input.conversation);
    const { conversation } = opened;
    let shape: number | undefined;
    /** Characters of the answers to the last question that were sent, and the states that were. */
    let sent: { length: number; state: string }[] = [];
    for await (const _ of eachChange((listener) => opened.onChange(listener), abort)) {
      await ctx.pace.turn(abort);
      const last = conversation.turns.length - 1;
      const answers = conversation.turns[last]?.answers ?? [];
      const before = sent;
      sent = answers.map((answer) => ({ length: answer.text.length, state: answer.state }));
      if (shape !== opened.shape) {
        shape = opened.shape;
        yield { whole: structuredClone(conversation) };
        continue;
      }
      const news = answers.flatMap((answer, column) => {
        const { length: from = 0, state = '' } = before[column] ?? {};
        if (!isOngoing(answer) && answer.state === state) return [];
        const { earlier: _earlier, ...rest } = answer;
        return [{ turn: last, column, from, answer: { ...rest, text: answer.text.slice(from) } }];
      });
      if (news.length > 0) yield { answers: news };
    }
  }),

  /** The tokens of each answer to one question. */
  tokens: procedure.input(named.extend({ turn })).query(({ ctx, input }): ShownToken[][] => {
    return ctx.agent.conversations.get(input.conversation).tokens(input.turn);
  }),

  /** A question; without a conversation it begins one. With `turn` it takes the place of that one and of all that came after. */
  ask: procedure
    .input(
      z.strictObject({
        conversation: named.shape.conversation.nullable(),
        text,
        models,
        settings: chatSettings,
        turn: turn.optional(),
      }),
    )
    .mutation(({ ctx, input }): { conversation: string } => {
      const { conversations } = ctx.agent;
      const opened =
        input.conversation === null
          ? conversations.create(input.models, input.settings)
          : conversations.get(input.conversation);
      opened.ask(input.text, input.models, input.settings, input.turn);
      return { conversation: opened.conversation.id };
    }),

  /** Goes on with an answer to the last question that has called tools: what each of them gave, in the order of the calls. */
  results: procedure
    .input(named.extend({ column: z.int().min(0), results: z.array(z.string().max(200_000)).min(1).max(100) }))
    .mutation(({ ctx, input }) => {
      ctx.agent.conversations.get(input.conversation).goOn(input.column, input.results);
    }),

  /** The names of the tools that a text defines. @throws UserError `tools_invalid` */
  checkTools: procedure.input(chatSettings.pick({ tools: true })).query(({ input }): string[] => {
    return toolNames(toolsOf(input));
  }),

  /** What another checkpoint of the run in a column answers to the last question, as it comes; at once where it has answered before. */
  checkpoint: procedure.input(named.extend({ column: z.int().min(0), model })).subscription(async function* ({
    ctx,
    input,
    signal,
  }): AsyncGenerator<ConversationAnswer> {
    const opened = ctx.agent.conversations.get(input.conversation);
    yield yield* newestOf<ConversationAnswer, ConversationAnswer>(
      (report, left) => opened.other(input.column, input.model, report, left),
      ctx.pace,
      signal,
    );
  }),

  /** Answers the last question anew, with another seed. */
  regenerate: procedure.input(named.extend({ models, settings: chatSettings })).mutation(({ ctx, input }) => {
    ctx.agent.conversations.get(input.conversation).regenerate(input.models, input.settings);
  }),

  /** One answer, which nobody keeps: what tokens add, several where they come fast, then the end. A model's template has to read all that is asked. */
  answer: procedure.input(z.strictObject({ model, request: answerRequest })).subscription(async function* ({
    ctx,
    input,
    signal = new AbortController().signal,
  }): AsyncGenerator<{ loading: LoadProgress } | { pieces: AnswerPiece[]; end: AnswerEnd | null }> {
    const { models: loaded, chattables } = ctx.agent;
    const client = `socket ${ctx.me.id}`;
    const wanted = await chattables.find(input.model);
    const [unread] = await loaded.unread(wanted, input.request, { signal });
    if (unread) throw notRead(input.model, unread);
    const pieces: AnswerPiece[] = [];
    const told = newestOf<LoadProgress | AnswerPiece, AnswerEnd>(
      (report, left) =>
        finish(loaded.answer(wanted, input.request, { client, signal: left }), (progress) => {
          if ('text' in progress) pieces.push(progress);
          report(progress);
        }),
      ctx.pace,
      signal,
    );
    for (;;) {
      const { value, done } = await told.next();
      if (done) {
        await ctx.pace.turn(signal);
        return yield { pieces, end: value };
      }
      if (!('text' in value)) yield { loading: value };
      else if (pieces.length > 0) yield { pieces: pieces.splice(0), end: null };
    }
  }),

  /** Ends what is being answered, in one column or in all. */
  stop: procedure.input(named.extend({ column: z.int().min(0).optional() })).mutation(({ ctx, input }) => {
    return ctx.agent.conversations.get(input.conversation).stop(input.column);
  }),

  remove: procedure.input(named).mutation(({ ctx, input }) => ctx.agent.conversations.remove(input.conversation)),

  /** Brings back one that was removed. */
  restore: procedure.input(named).mutation(({ ctx, input }) => ctx.agent.conversations.restore(input.conversation)),
});

function notRead(where: string, { parameter, why }: { parameter: string; why: string }): UserError {
  const next = parameter === 'messages' ? 'leave the system message out' : `leave ${parameter} out`;
  return new UserError({ what: why, where, next, code: 'parameter_not_read' });
}
