/** Conversations that an agent keeps: one question at a time, answered by one to four models beside each other. Browser-safe. */
import { z } from 'zod';
import { type AnswerEnd, answerOptions, toolCallSchema } from './chat.ts';
import { answerStates, mostColumns } from './chatTerms.ts';

const { temperature, topP, topK, minP, repetitionPenalty, maxTokens, seed, thinking } = answerOptions.shape;

/** How the models answer; what is left out is as the makers of each recommend. */
export const chatSettings = z.strictObject({
  system: z.string().max(100_000).default(''),
  /** Definitions of tools in JSON, as they were written; empty for none. */
  tools: z.string().max(200_000).default(''),
  temperature,
  topP,
  topK,
  minP,
  repetitionPenalty,
  thinking,
  maxTokens,
  seed,
});
export type ChatSettings = z.output<typeof chatSettings>;

/** What of the settings a chat template may not read. */
export const unreadParameter = z.enum(['tools', 'thinking', 'messages']);
export type UnreadParameter = z.infer<typeof unreadParameter>;

/** What an answer said before it went on with what the tools gave that it had called. */
const answerPart = z.object({
  /** Without the calls. */
  text: z.string(),
  calls: z.array(toolCallSchema.extend({ result: z.string() })),
});

const endReasons = ['stop', 'length', 'context', 'interrupted'] as const satisfies readonly AnswerEnd['reason'][];

export const conversationAnswer = z.object({
  model: z.string(),
  seed: z.int(),
  /** `waiting`: for its turn at the model. */
  state: z.enum(answerStates),
  earlier: z.array(answerPart).default([]),
  text: z.string(),
  /** Of the tools in the settings; they are part of the text. */
  calls: z.array(toolCallSchema).default([]),
  /** Where the calls begin in the text; null where there are none. */
  callsAt: z.int().nullable().default(null),
  tokens: z.int(),
  promptTokens: z.int().nullable(),
  /** Of loading the model: the share that is done. */
  loaded: z.number().nullable(),
  firstMilliseconds: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  reason: z.enum(endReasons).nullable(),
  /** Why settings changed nothing, and which. */
  note: z.string().nullable(),
  unread: z.array(unreadParameter).default([]),
  error: z
    .object({ code: z.string(), what: z.string(), where: z.string().optional(), next: z.string().optional() })
    .nullable(),
});
export type ConversationAnswer = z.infer<typeof conversationAnswer>;

export const conversationSchema = z.object({
  id: z.string(),
  created: z.string(),
  changed: z.string(),
  models: z.array(z.string()).min(1).max(mostColumns),
  /** Files of another version may have other ones, too. */
  settings: chatSettings.strip(),
  turns: z.array(
    z.object({
      text: z.string(),
      answers: z.array(conversationAnswer),
      /** What other checkpoints of the run in a column answer to the same. */
      others: z.array(conversationAnswer.extend({ column: z.int() })).default([]),
    }),
  ),
});
export type Conversation = z.infer<typeof conversationSchema>;

/** The beginning of the first question. */
export interface ConversationSummary {
  id: string;
  title: string;
  changed: string;
  models: readonly string[];
  answering: boolean;
}

/** At first the whole, then what is new of answers: `text` stands at `from`. After a change of anything else the whole again. */
export type ConversationNews =
  | { whole: Conversation }
  | { answers: { turn: number; column: number; from: number; answer: Omit<ConversationAnswer, 'earlier'> }[] };

/** A token of an answer, with the likeliest ones in its place. */
export const shownToken = z.object({
  id: z.int(),
  text: z.string(),
  logprob: z.number(),
  top: z.array(z.object({ id: z.int(), text: z.string(), logprob: z.number() })),
});
export type ShownToken = z.infer<typeof shownToken>;
