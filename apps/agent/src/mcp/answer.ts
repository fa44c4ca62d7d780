import type { AnswerEnd, AnswerOptions, Message } from '@anneal/core/protocol/chat';
import { finish } from '../service/finish.ts';
import type { Surroundings } from './tool.ts';

interface Question extends AnswerOptions {
  source: string;
  checkpoint?: string | undefined;
  base: boolean;
  messages: Message[];
}

export async function answerOnce({ ask, signal, report }: Surroundings, question: Question): Promise<AnswerEnd> {
  const { source, checkpoint, base, ...request } = question;
  const chat = await finish(ask.openChat({}, { source, checkpoint, base }));
  return finish(chat.answer(request, signal), ({ tokens }) => report(tokens, request.maxTokens, 'answering'));
}
