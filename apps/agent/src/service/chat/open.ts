import { UserError } from '@anneal/core/errors';
import { openAnswerer } from '@anneal/core/generate/answerer';
import {
  type AnswerEnd,
  type AnswerPiece,
  type AnswerRequest,
  type LoadProgress,
  type OpenChatRequest,
  openChatRequest,
} from '@anneal/core/protocol/chat';
import { quantizationOf } from '@anneal/core/trainer/job';
import type { Context } from '../context.ts';
import { type ModelSource, resolveSource } from '../models/source.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { answer } from './answer.ts';
import { type Asked, type ChatWarning, warningsOf } from './warnings.ts';

/** A loaded model that answers. Close it to free its memory. */
export interface Chat {
  readonly name: string;
  /** Yields what each token adds, as it comes. A signal ends the answer with what there is of it. */
  answer(request: AnswerRequest, signal?: AbortSignal): AsyncGenerator<AnswerPiece, AnswerEnd>;
  /** What of these options does not do what it seems to. */
  warnings(options: Asked): ChatWarning[];
  close(): Promise<void>;
}

/** Loads a model to talk to. @throws UserError when the model, its adapter or its tokenizer cannot be used */
export async function* openChat(context: Context, request: OpenChatRequest): AsyncGenerator<LoadProgress, Chat> {
  const { base, dtype, context: contextLength, thinking: asked, ...wanted } = parseRequest(openChatRequest, request);
  const source = await resolveSource(context, wanted);
  if (base) refuseBaseOfFullTraining(source);
  const { name, modelPath, adapterFolder } = source;
  const thinking = asked ?? source.text.enableThinking;
  const answerer = yield* reporting<LoadProgress, Awaited<ReturnType<typeof openAnswerer>>>((report, signal) =>
    openAnswerer({
      modelPath,
      adapterFolder,
      weightType: dtype,
      quantization: source.run ? quantizationOf(source.run.recipe) : 'none',
      contextLength,
      text: { ...source.text, enableThinking: thinking },
      onLoad: (loaded, total) => report({ name, loaded, total }),
      signal,
    }),
  );
  return {
    name,
    answer(question, signal) {
      if (question.base) refuseBaseOfFullTraining(source);
      return answer(answerer, { base, thinking }, question, signal);
    },
    warnings: (options) => warningsOf(answerer, options, { asked, thinking }),
    close: () => answerer.close(),
  };
}

function refuseBaseOfFullTraining(source: ModelSource): void {
  if (source.adapterFolder !== null || source.run === null) return;
  throw new UserError({
    what: 'this run trained every weight, so there is no base model beneath it',
    where: source.run.path,
    next: `name the base model instead: anneal chat ${source.baseModel}`,
    code: 'no_adapter',
  });
}
