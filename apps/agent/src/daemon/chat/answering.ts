/** How an answer comes about: from a model that may have to be loaded, piece by piece, to its end. */
import { UserError } from '@anneal/core/errors';
import { callsIn } from '@anneal/core/generate/toolCalls';
import type { AnswerPiece, AnswerRequest, LoadProgress } from '@anneal/core/protocol/chat';
import type { ConversationAnswer } from '@anneal/core/protocol/conversations';
import { finish } from '../../service/finish.ts';
import type { Chattables } from './chattables.ts';
import type { LoadedModels } from './loadedModels.ts';

interface Answering {
  chattables: Chattables;
  models: LoadedModels;
  /** Is told of defects. */
  log: (text: string) => void;
  /** Whose turn it is at the model. */
  client: string;
  signal: AbortSignal;
  /** Where the request asks for them. */
  onToken?: (token: NonNullable<AnswerPiece['token']>) => void;
  onChange: () => void;
}

/** Fills the answer in as it comes, to its end, whatever that is. Never rejects. */
export async function fillIn(
  answer: ConversationAnswer,
  request: AnswerRequest,
  { chattables, models, log, client, signal, onToken, onChange }: Answering,
): Promise<void> {
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
      if (progress.token) onToken?.(progress.token);
    }
    onChange();
  };
  try {
    const wanted = await chattables.find(answer.model);
    const how = { client, signal };
    const unread = await models.unread(wanted, request, how);
    answer.note = unread.map(({ why }) => why).join('; ') || null;
    answer.unread = unread.map(({ parameter }) => parameter);
    const end = await finish(models.answer(wanted, request, how), tell);
    Object.assign(answer, {
      state: end.reason === 'interrupted' ? 'stopped' : 'done',
      reason: end.reason,
      calls: end.toolCalls,
      callsAt: end.toolCalls.length > 0 ? callsIn(end.text, request.tools ?? []).content.length : null,
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
}

export function unanswered(model: string, seed: number): ConversationAnswer {
  return {
    model,
    seed,
    state: 'waiting',
    earlier: [],
    text: '',
    calls: [],
    callsAt: null,
    tokens: 0,
    promptTokens: null,
    loaded: null,
    firstMilliseconds: null,
    tokensPerSecond: null,
    reason: null,
    note: null,
    unread: [],
    error: null,
  };
}
