/** Answers in OpenAI's form, whole and in chunks. */
import { randomUUID } from 'node:crypto';
import { callsIn } from '@anneal/core/generate/toolCalls';
import type { AnswerEnd, AnswerPiece, AnswerRequest } from '@anneal/core/protocol/chat';

type Token = NonNullable<AnswerPiece['token']>;

/** How one of the two endpoints writes what a model says. */
export interface AnswerForm {
  /** What comes before the first token; null: nothing. */
  opening(): object | null;
  /** null where there is nothing to say yet. */
  chunk(piece: AnswerPiece): object | null;
  /** The last chunk, with what was held back. */
  closing(end: AnswerEnd): object;
  whole(end: AnswerEnd, pieces: readonly AnswerPiece[]): object;
  usage(end: AnswerEnd): object;
}

function usageOf({ promptTokens, tokens }: AnswerEnd) {
  return { prompt_tokens: promptTokens, completion_tokens: tokens, total_tokens: promptTokens + tokens };
}

function headOf(prefix: string, object: string, model: string) {
  return { id: `${prefix}-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model };
}

const finishReason = ({ reason, toolCalls }: AnswerEnd): string =>
  toolCalls.length > 0 ? 'tool_calls' : reason === 'stop' ? 'stop' : 'length';

/** The token that ended the answer is no part of it. */
const shown = (piece: AnswerPiece, end?: AnswerEnd): Token[] =>
  piece.token && !(end?.reason === 'stop' && piece.tokens === end.tokens && piece.text === '') ? [piece.token] : [];

/** Those of a stream: one that says nothing waits until it is known whether it has ended the answer. */
function tokensOfStream() {
  let waiting: AnswerPiece[] = [];
  return {
    next(piece: AnswerPiece): Token[] {
      waiting.push(piece);
      if (piece.text === '') return [];
      const said = waiting.flatMap((one) => shown(one));
      waiting = [];
      return said;
    },
    last: (end: AnswerEnd): Token[] => waiting.flatMap((one) => shown(one, end)),
  };
}

export function chatForm(model: string, { tools }: AnswerRequest): AnswerForm {
  const head = headOf('chatcmpl', 'chat.completion', model);
  const chunkHead = { ...head, object: 'chat.completion.chunk' };
  const choice = (delta: object, tokens: Token[] = [], finish: string | null = null) => ({
    ...chunkHead,
    choices: [{ index: 0, delta, logprobs: tokens.length > 0 ? chatLogprobs(tokens) : null, finish_reason: finish }],
  });
  // With tools, what may be the beginning of a call waits until it is known whether it is one.
  const stream = tokensOfStream();
  let said = 0;
  let held = '';
  const release = (text: string): string => {
    if (!tools) return text;
    held += text;
    const at = held.search(/[[{<`]/);
    const free = at < 0 ? held : held.slice(0, at);
    const fresh = free.slice(said);
    said = Math.max(said, free.length);
    return fresh;
  };
  return {
    opening: () => choice({ role: 'assistant', content: '' }),
    chunk(piece) {
      const content = release(piece.text);
      const tokens = stream.next(piece);
      return content === '' && tokens.length === 0 ? null : choice({ content }, tokens);
    },
    closing(end) {
      const calls = end.toolCalls.map((call, index) => ({ index, ...call }));
      const { content } = tools && calls.length > 0 ? callsIn(end.text, tools) : { content: end.text };
      const rest = tools ? content.slice(said) : '';
      const delta = { ...(rest !== '' && { content: rest }), ...(calls.length > 0 && { tool_calls: calls }) };
      return choice(delta, stream.last(end), finishReason(end));
    },
    whole(end, pieces) {
      const calls = end.toolCalls;
      const content = tools && calls.length > 0 ? callsIn(end.text, tools).content || null : end.text;
      const tokens = pieces.flatMap((piece) => shown(piece, end));
      const message = { role: 'assistant', content, refusal: null, ...(calls.length > 0 && { tool_calls: calls }) };
      return {
        ...head,
        choices: [
          {
            index: 0,
            message,
            logprobs: pieces.some(({ token }) => token) ? chatLogprobs(tokens) : null,
            finish_reason: finishReason(end),
          },
        ],
        usage: usageOf(end),
      };
    },
    usage: (end) => ({ ...chunkHead, choices: [], usage: usageOf(end) }),
  };
}

function chatLogprobs(tokens: readonly Token[]) {
  const one = ({ text, logprob, bytes }: Pick<Token, 'text' | 'logprob' | 'bytes'>) => ({
    token: text,
    logprob,
    bytes,
  });
  return { content: tokens.map((token) => ({ ...one(token), top_logprobs: token.top.map(one) })), refusal: null };
}

export function completionForm(model: string, prompt: string): AnswerForm {
  const head = headOf('cmpl', 'text_completion', model);
  const logprobs = completionLogprobs(prompt.length);
  const stream = tokensOfStream();
  const choice = (text: string, tokens: Token[] = [], finish: string | null = null) => ({
    ...head,
    choices: [{ index: 0, text, logprobs: tokens.length > 0 ? logprobs(tokens) : null, finish_reason: finish }],
  });
  return {
    opening: () => null,
    chunk(piece) {
      const tokens = stream.next(piece);
      return piece.text === '' && tokens.length === 0 ? null : choice(piece.text, tokens);
    },
    closing: (end) => choice('', stream.last(end), finishReason(end)),
    whole(end, pieces) {
      return {
        ...choice(
          end.text,
          pieces.flatMap((piece) => shown(piece, end)),
          finishReason(end),
        ),
        usage: usageOf(end),
      };
    },
    usage: (end) => ({ ...head, choices: [], usage: usageOf(end) }),
  };
}

/** @param start where the first token stands, in characters */
function completionLogprobs(start: number): (tokens: readonly Token[]) => object {
  let offset = start;
  return (tokens) => ({
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map(({ text, logprob }) => [text, logprob]))),
    text_offset: tokens.map(({ text }) => {
      const at = offset;
      offset += text.length;
      return at;
    }),
  });
}
