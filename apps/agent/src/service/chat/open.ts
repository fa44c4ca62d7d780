import { UserError } from '@anneal/core/errors';
import { type Answerer, type AnswererOptions, measureAnswerer, openAnswerer } from '@anneal/core/generate/answerer';
import {
  type AnswerEnd,
  type AnswerPiece,
  type AnswerRequest,
  type ChatMemory,
  type LoadProgress,
  type OpenChatRequest,
  openChatRequest,
} from '@anneal/core/protocol/chat';
import { shellWord } from '@anneal/core/shellWord';
import { quantizationOf } from '@anneal/core/trainer/job';
import type { Context } from '../context.ts';
import { checkBase, type ModelSource, resolveSource } from '../models/source.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { answer } from './answer.ts';
import { type Asked, type ChatWarning, unreadParts, warningsOf } from './warnings.ts';

/** A loaded model that answers. Close it to free its memory. */
export interface Chat {
  readonly name: string;
  /** Yields what each token adds, as it comes. A signal ends the answer with what there is of it. */
  answer(request: AnswerRequest, signal?: AbortSignal): AsyncGenerator<AnswerPiece, AnswerEnd>;
  /** What of these options does not do what it seems to. */
  warnings(options: Asked): ChatWarning[];
  /** What of this the chat template does not read. */
  unread(asked: Parameters<typeof unreadParts>[1]): ChatWarning[];
  close(): Promise<void>;
}

/** Loads a model to talk to. @throws UserError when the model, its adapter or its tokenizer cannot be used */
export async function* openChat(context: Context, request: OpenChatRequest): AsyncGenerator<LoadProgress, Chat> {
  const { source, options, base, asked, thinking } = await wantedChat(context, request);
  const { name } = source;
  const answerer = yield* reporting<LoadProgress, Answerer>((report, signal) =>
    checkBase(source).then(() =>
      openAnswerer({
        ...options,
        onLoad: (loaded, total, bytes) => report({ name, loaded, total, bytes }),
        signal,
      }),
    ),
  );
  return {
    name,
    answer(question, signal) {
      if (question.base) refuseMissingBase(source);
      return answer(answerer, { base, thinking }, question, signal);
    },
    warnings: (of) => warningsOf(answerer, of, { asked, thinking }),
    unread: (of) => unreadParts(answerer.text, of),
    close: () => answerer.close(),
  };
}

/** What loading it would take of the memory; nothing is loaded. */
export function measureChat(context: Context, request: OpenChatRequest): AsyncGenerator<never, ChatMemory> {
  return reporting(async () => measureAnswerer((await wantedChat(context, request)).options));
}

async function wantedChat(context: Context, request: OpenChatRequest) {
  const parsed = parseRequest(openChatRequest, request);
  const { base, dtype, context: contextLength, sideBySide, thinking: asked, ...wanted } = parsed;
  const source = await resolveSource(context, wanted);
  if (base) refuseMissingBase(source);
  const thinking = asked ?? source.text.enableThinking;
  const options: AnswererOptions = {
    modelPath: source.modelPath,
    adapterFolder: source.adapterFolder,
    weightType: dtype,
    quantization: source.run ? quantizationOf(source.run.recipe) : 'none',
    contextLength,
    sideBySide,
    text: { ...source.text, enableThinking: thinking },
  };
  return { source, options, base, asked, thinking };
}

function refuseMissingBase(source: ModelSource): void {
  if (source.adapterFolder !== null) return;
  if (source.run === null) {
    throw new UserError({
      what: 'this is a model without an adapter: there is no base beneath it',
      where: source.name,
      next: 'ask it as it is, without its base',
      code: 'no_adapter',
    });
  }
  throw new UserError({
    what: 'this run trained every weight, so there is no base model beneath it',
    where: source.run.path,
    next: `name the base model instead: anneal chat ${shellWord(source.baseModel)}`,
    code: 'no_adapter',
  });
}
