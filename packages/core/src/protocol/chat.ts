/** Talking to a model. Browser-safe. */
import { z } from 'zod';
import { sourceRequest } from './models.ts';

export const openChatRequest = sourceRequest.extend({
  /** Of a run or an adapter: the model without what was trained. */
  base: z.boolean().default(false),
  /** Type of the weights in memory. */
  dtype: z.enum(['bf16', 'f32']).default('bf16'),
  /** Tokens that the conversation may have. */
  context: z
    .int()
    .min(16)
    .max(1 << 20)
    .default(2048),
  /** Of a run or an adapter: with and without it at once, for which each has a cache of its own. */
  sideBySide: z.boolean().default(false),
  /** Whether a model that can think does so; by default as it was trained. */
  thinking: z.boolean().optional(),
});
export type OpenChatRequest = z.input<typeof openChatRequest>;

/** Tensors that are in memory. */
export const loadProgressSchema = z.object({
  name: z.string(),
  loaded: z.int().min(0),
  total: z.int().min(0),
  /** Of memory that the model takes, with its cache. */
  bytes: z.number().min(0),
});
export type LoadProgress = z.infer<typeof loadProgressSchema>;

/** Of memory, in bytes. */
export const chatMemorySchema = z.object({ bytes: z.number().min(0), available: z.number().min(0) });
export type ChatMemory = z.infer<typeof chatMemorySchema>;

/** What a template may read beside `role` and `content` (`tool_calls`, `tool_call_id`, …) is passed on; null beside calls. */
export const messageSchema = z.looseObject({ role: z.string(), content: z.string().nullable() });
export type Message = z.infer<typeof messageSchema>;

/** As many as OpenAI's API gives. */
export const mostTopLogprobs = 20;

/** How to answer; what is left out is as the makers of the model recommend. */
export const answerOptions = z.strictObject({
  /** Continue as plain text, without the chat template. */
  plain: z.boolean().default(false),
  /** Of a run or an adapter: without what was trained; by default as the model was opened. */
  base: z.boolean().optional(),
  /** Whether a model that can think does so; by default as the model was opened. */
  thinking: z.boolean().optional(),
  /** Definitions of functions that the model may call. */
  tools: z.array(z.unknown()).readonly().nullable().default(null),
  /** Randomness; 0 takes the likeliest token each time. */
  temperature: z.number().min(0).max(100).optional(),
  /** Choose among so many tokens; 0: all. */
  topK: z.int().min(0).optional(),
  /** Choose among the tokens that make up this probability. */
  topP: z.number().min(0).max(1).optional(),
  /** Least probability, relative to the likeliest token. */
  minP: z.number().min(0).max(1).optional(),
  /** Above 1: what was said becomes less likely. */
  repetitionPenalty: z.number().min(0.01).max(100).optional(),
  /** Of the answer. */
  maxTokens: z.int().min(1).default(512),
  /** The same seed gives the same answers. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(3407),
  /** Texts that end the answer, and are no part of it. */
  stop: z.array(z.string().min(1).max(1000)).max(16).default([]),
  /** Tells for each token its logarithmic probability, and that of so many of the likeliest. */
  topLogprobs: z.int().min(0).max(mostTopLogprobs).nullable().default(null),
});
export type AnswerOptions = z.input<typeof answerOptions>;

export const answerRequest = answerOptions.extend({ messages: z.array(messageSchema).min(1) });
export type AnswerRequest = z.input<typeof answerRequest>;

/** A call of a tool, as it stands in `tool_calls` of the next request's messages. */
export const toolCallSchema = z.object({
  id: z.string(),
  type: z.literal('function'),
  /** `arguments` is JSON text. */
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const answerTokenSchema = z.object({
  id: z.int().min(0),
  /** With U+FFFD where its bytes are only a part of a character. */
  text: z.string(),
  bytes: z.array(z.int()).readonly(),
  /** Before anything that sampling does to it. */
  logprob: z.number(),
});

/** What one more token adds to an answer. */
export const answerPieceSchema = z.object({
  /** Empty while a character, or what may be a text to stop at, is not whole. */
  text: z.string(),
  /** Made so far. */
  tokens: z.int().min(0),
  /** Where logarithmic probabilities are asked for. */
  token: answerTokenSchema.extend({ top: z.array(answerTokenSchema).readonly() }).nullable(),
});
export type AnswerPiece = z.infer<typeof answerPieceSchema>;

export const answerEndSchema = z.object({
  text: z.string(),
  /** The calls of the given tools that the text holds; their results go into messages of the role `tool`. */
  toolCalls: z.array(toolCallSchema),
  promptTokens: z.int().min(0),
  /** Stop token included. */
  tokens: z.int().min(0),
  /** `stop`: the model ended it, or a text to stop at; `length`: `maxTokens` did; `context`: the conversation filled `context`. */
  reason: z.enum(['stop', 'length', 'context', 'interrupted']),
  /** From the question to the first piece. */
  firstMilliseconds: z.number().min(0),
  /** Of the pieces after the first. */
  tokensPerSecond: z.number().min(0),
});
export type AnswerEnd = z.infer<typeof answerEndSchema>;
