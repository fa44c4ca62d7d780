/** One answer, piece by piece, with how fast and why it ended. */
import type { Answerer, AnswerPiece as MadePiece } from '@anneal/core/generate/answerer';
import { encodePrompt } from '@anneal/core/generate/modelText';
import { recommendedSampling } from '@anneal/core/generate/presets';
import { callsIn } from '@anneal/core/generate/toolCalls';
import {
  type AnswerEnd,
  type AnswerPiece,
  type AnswerRequest,
  answerRequest,
  type Message,
} from '@anneal/core/protocol/chat';
import { readableIds } from '@anneal/core/tokenizers/tokensWithoutRow';
import { parseRequest } from '../parseRequest.ts';

/** How the model was opened. */
export interface Manner {
  /** Without what was trained. */
  readonly base: boolean;
  readonly thinking: boolean | undefined;
}

/** Yields what each token adds, as it comes. */
export async function* answer(
  answerer: Answerer,
  manner: Manner,
  request: AnswerRequest,
  signal?: AbortSignal,
): AsyncGenerator<AnswerPiece, AnswerEnd> {
  const wanted = parseRequest(answerRequest, request);
  const { messages, plain, tools, seed, stop, topLogprobs, maxTokens: maxNewTokens } = wanted;
  const thinking = wanted.thinking ?? manner.thinking;
  const recommended = recommendedSampling(answerer.model, thinking ?? true);
  const sampling = {
    temperature: wanted.temperature ?? recommended.temperature,
    topK: wanted.topK ?? recommended.topK,
    topP: wanted.topP ?? recommended.topP,
    minP: wanted.minP ?? recommended.minP,
    repetitionPenalty: wanted.repetitionPenalty ?? recommended.repetitionPenalty,
  };
  const started = performance.now();
  const prompt = plain ? await idsOf(answerer, messages) : await encodePrompt(answerer.text, messages, tools, thinking);
  const adapter = !(wanted.base ?? manner.base);
  const pieces = answerer.complete(prompt, { sampling, maxNewTokens, seed, adapter, stop, topLogprobs, signal });
  const end = yield* measured(pieces, { started, signal, maxNewTokens });
  const toolCalls = tools ? callsIn(end.text, tools, await answerer.text.tokenizer.decode(prompt)).calls : [];
  return { ...end, promptTokens: prompt.length, toolCalls };
}

async function idsOf({ text }: Answerer, messages: readonly Message[]): Promise<Int32Array> {
  const tokenized = await text.tokenizer.encodeWithSpecial(messages.map(({ content }) => content).join('\n'));
  return readableIds(text.tokenizer, tokenized);
}

async function* measured(
  pieces: AsyncIterable<MadePiece>,
  { started, signal, maxNewTokens }: { started: number; signal: AbortSignal | undefined; maxNewTokens: number },
): AsyncGenerator<AnswerPiece, Omit<AnswerEnd, 'promptTokens' | 'toolCalls'>> {
  let last = { tokens: 0, at: started, ended: false };
  let first: typeof last | undefined;
  let whole = '';
  for await (const { text, tokens, ended, token } of pieces) {
    last = { tokens, at: performance.now(), ended };
    first ??= last;
    whole += text;
    yield { text, tokens, token };
  }
  const begun = first ?? last;
  return {
    text: whole,
    tokens: last.tokens,
    reason: last.ended ? 'stop' : signal?.aborted ? 'interrupted' : last.tokens >= maxNewTokens ? 'length' : 'context',
    firstMilliseconds: begun.at - started,
    tokensPerSecond: last.at > begun.at ? (1000 * (last.tokens - begun.tokens)) / (last.at - begun.at) : 0,
  };
}
