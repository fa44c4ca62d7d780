/** One answer, piece by piece, with how fast and why it ended. */
import type { Answerer, AnswerPiece } from '@anneal/core/generate/answerer';
import { recommendedSampling } from '@anneal/core/generate/presets';
import { callsIn } from '@anneal/core/generate/toolCalls';
import { type AnswerEnd, type AnswerRequest, answerRequest, type Message } from '@anneal/core/protocol/chat';
import { parseRequest } from '../parseRequest.ts';

/** How the model was opened. */
export interface Manner {
  /** The adapter takes part. */
  readonly adapter: boolean;
  readonly thinking: boolean | undefined;
}

/** Yields the pieces of the text as they come. */
export async function* answer(
  answerer: Answerer,
  { adapter, thinking }: Manner,
  request: AnswerRequest,
  signal?: AbortSignal,
): AsyncGenerator<string, AnswerEnd> {
  const { messages, plain, tools, seed, maxTokens: maxNewTokens, ...asked } = parseRequest(answerRequest, request);
  const recommended = recommendedSampling(answerer.model, thinking ?? true);
  const sampling = {
    temperature: asked.temperature ?? recommended.temperature,
    topK: asked.topK ?? recommended.topK,
    topP: asked.topP ?? recommended.topP,
    minP: asked.minP ?? recommended.minP,
    repetitionPenalty: asked.repetitionPenalty ?? recommended.repetitionPenalty,
  };
  const how = { sampling, maxNewTokens, seed, adapter, tools, signal };
  const pieces = plain ? answerer.complete(await idsOf(answerer, messages), how) : answerer.answer(messages, how);
  return yield* measured(pieces, { signal, maxNewTokens, tools });
}

async function idsOf({ text }: Answerer, messages: readonly Message[]): Promise<Int32Array> {
  const { ids } = await text.tokenizer.encodeWithSpecial(messages.map(({ content }) => content).join('\n'));
  return Int32Array.from(ids);
}

async function* measured(
  pieces: AsyncIterable<AnswerPiece>,
  {
    signal,
    maxNewTokens,
    tools,
  }: { signal: AbortSignal | undefined; maxNewTokens: number; tools: readonly unknown[] | null },
): AsyncGenerator<string, AnswerEnd> {
  const started = performance.now();
  let last = { tokens: 0, at: started, ended: false };
  let first: typeof last | undefined;
  let whole = '';
  for await (const { text, tokens, ended } of pieces) {
    last = { tokens, at: performance.now(), ended };
    first ??= last;
    whole += text;
    if (text !== '') yield text;
  }
  const begun = first ?? last;
  return {
    text: whole,
    toolCalls: tools ? callsIn(whole, tools).calls : [],
    tokens: last.tokens,
    reason: last.ended ? 'stop' : signal?.aborted ? 'interrupted' : last.tokens >= maxNewTokens ? 'length' : 'context',
    firstMilliseconds: begun.at - started,
    tokensPerSecond: last.at > begun.at ? (1000 * (last.tokens - begun.tokens)) / (last.at - begun.at) : 0,
  };
}
