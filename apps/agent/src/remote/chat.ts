/** Talking to a model of another agent, which loads it and keeps it loaded for a while. */
import { UserError } from '@anneal/core/errors';
import {
  type AnswerEnd,
  type AnswerPiece,
  type AnswerRequest,
  answerRequest,
  type LoadProgress,
  type OpenChatRequest,
  openChatRequest,
} from '@anneal/core/protocol/chat';
import type { ChatUseCases } from '../commands/useCases.ts';
import type { Chat } from '../service/chat/open.ts';
import { parseRequest } from '../service/parseRequest.ts';
import { reporting } from '../service/reporting.ts';
import type { Connection } from './connection.ts';
import { runThere } from './names.ts';
import { notRemote } from './notRemote.ts';

type News = { loading: LoadProgress } | { pieces: AnswerPiece[]; end: AnswerEnd | null };

export function remoteChat(connection: Connection): ChatUseCases {
  return { openChat: (_, request) => reporting(() => openThere(connection, request)) };
}

/** It is loaded with the first question. */
async function openThere(connection: Connection, request: OpenChatRequest): Promise<Chat> {
  const { dtype, context, thinking, ...source } = parseRequest(openChatRequest, request);
  const { shape } = openChatRequest;
  if (dtype !== shape.dtype.parse(undefined) || context !== shape.context.parse(undefined)) {
    throw notRemote(
      'how a model is loaded is decided by the agent, for everybody who talks to it',
      '--dtype, --context',
      'leave them out',
    );
  }
  const model = await modelThere(connection, source);
  return {
    name: model,
    answer: (question, signal) =>
      answerThere(connection, model, { ...question, ...(thinking !== undefined && { thinking }) }, signal),
    // What the model's template does not read the agent refuses.
    warnings: () => [],
    unread: () => [],
    close: async () => undefined,
  };
}

async function* answerThere(
  connection: Connection,
  model: string,
  question: AnswerRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<AnswerPiece, AnswerEnd> {
  const request = parseRequest(answerRequest, question);
  const input = { model, request: { ...request, tools: request.tools && [...request.tools] } };
  let [text, tokens] = ['', 0];
  for await (const news of connection.listen<News>((api, listener) => api.chat.answer.subscribe(input, listener))) {
    if (!('pieces' in news)) continue;
    for (const piece of news.pieces) {
      if (signal?.aborted) return { ...interrupted, text, tokens };
      // The socket was lost, and the agent begins anew what has been shown already.
      if (piece.tokens <= tokens) throw brokenOff(connection);
      tokens = piece.tokens;
      text += piece.text;
      yield piece;
    }
    if (news.end) return news.end;
  }
  throw brokenOff(connection);
}

const interrupted = {
  toolCalls: [],
  promptTokens: 0,
  reason: 'interrupted',
  firstMilliseconds: 0,
  tokensPerSecond: 0,
} satisfies Omit<AnswerEnd, 'text' | 'tokens'>;

/** A model as the agent lists it, or a run by its name; with `base` or a checkpoint behind an `@`. */
async function modelThere(
  connection: Connection,
  { source, checkpoint, base }: { source: string; checkpoint?: string | undefined; base: boolean },
): Promise<string> {
  const models = await connection.ask((api) => api.chat.models.query());
  const listed = models.find(({ id }) => id === source);
  const id = listed?.id ?? (await runThere(connection, source)).key;
  return base ? `${id}@base` : checkpoint === undefined ? id : `${id}@${checkpoint}`;
}

function brokenOff({ address }: Connection): UserError {
  return new UserError({
    what: 'the connection was lost in the middle of an answer',
    where: address.url.origin,
    next: 'ask again',
    code: 'remote_not_reached',
  });
}
