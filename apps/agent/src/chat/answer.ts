/** One answer, piece by piece, with how fast and why it ended. */

import { type Answerer, type AnswerPiece } from '@anneal/core/generate/answerer';
import type { ModelText } from '@anneal/core/generate/modelText';
import { recommendedSampling } from '@anneal/core/generate/presets';
import type { ChatOptions } from '../commands/chat.ts';
import { errorColors } from '../terminal/colors.ts';
import { remark } from '../terminal/print.ts';
import { formatCount } from '../terminal/units.ts';
import { isTold } from './tools.ts';

export interface Message {
  role: string;
  content: string;
}

export interface AnswerEnd {
  text: string;
  /** Stop token included. */
  tokens: number;
  /** `stop`: the model ended it; `length`: --max-tokens did; `context`: the conversation filled --context. */
  reason: 'stop' | 'length' | 'context' | 'interrupted';
  /** From the question to the first piece. */
  firstMilliseconds: number;
  /** Of the pieces after the first. */
  tokensPerSecond: number;
}

/** Answers a conversation, handing on every piece as it comes. */
export type Ask = (
  messages: readonly Message[],
  onPiece: (piece: string) => void,
  signal?: AbortSignal,
) => Promise<AnswerEnd>;

export function askWith(
  answerer: Answerer,
  options: Omit<ChatOptions, 'tools'> & { readonly tools: readonly unknown[] | null },
): Ask {
  const { thinking, tools, seed, maxTokens: maxNewTokens } = options;
  const recommended = recommendedSampling(answerer.model, thinking ?? true);
  const sampling = {
    temperature: options.temperature ?? recommended.temperature,
    topK: options.topK ?? recommended.topK,
    topP: options.topP ?? recommended.topP,
    minP: options.minP ?? recommended.minP,
    repetitionPenalty: options.repetitionPenalty ?? recommended.repetitionPenalty,
  };
  if (thinking && sampling.temperature === 0) {
    remark(`${errorColors.yellow('warning:')} thinking without randomness often repeats itself; try --temperature 0.6`);
  }
  return async (messages, onPiece, signal) => {
    const how = { sampling, maxNewTokens, seed, adapter: !options.base, tools, signal };
    const pieces = options.plain
      ? answerer.complete(await idsOf(answerer, messages), how)
      : answerer.answer(messages, how);
    return collect(pieces, onPiece, { signal, maxNewTokens });
  };
}

async function idsOf({ text }: Answerer, messages: readonly Message[]): Promise<Int32Array> {
  const { ids } = await text.tokenizer.encodeWithSpecial(messages.map(({ content }) => content).join('\n'));
  return Int32Array.from(ids);
}

async function collect(
  pieces: AsyncIterable<AnswerPiece>,
  onPiece: (piece: string) => void,
  { signal, maxNewTokens }: { signal: AbortSignal | undefined; maxNewTokens: number },
): Promise<AnswerEnd> {
  const started = performance.now();
  let last = { tokens: 0, at: started, ended: false };
  let first: typeof last | undefined;
  let answer = '';
  for await (const { text, tokens, ended } of pieces) {
    last = { tokens, at: performance.now(), ended };
    first ??= last;
    answer += text;
    if (text !== '') onPiece(text);
  }
  const begun = first ?? last;
  return {
    text: answer,
    tokens: last.tokens,
    reason: last.ended ? 'stop' : signal?.aborted ? 'interrupted' : last.tokens >= maxNewTokens ? 'length' : 'context',
    firstMilliseconds: begun.at - started,
    tokensPerSecond: last.at > begun.at ? (1000 * (last.tokens - begun.tokens)) / (last.at - begun.at) : 0,
  };
}

const endings = {
  length: 'cut at --max-tokens',
  context: 'cut at --context',
  interrupted: 'interrupted',
} as const;

/** What a reader of the answer alone would not see; null for one that the model has ended. */
export function describeCut({ reason, tokens }: AnswerEnd): string | null {
  return reason === 'stop' ? null : `the answer is not whole: ${endings[reason]} after ${formatCount(tokens)} tokens`;
}

/** The switches that the chat template does not read, and that therefore change nothing. */
export function unknownSwitches(text: ModelText, options: ChatOptions, tools: readonly unknown[] | null): string[] {
  const { renderer } = text;
  const found: string[] = [];
  if (tools && options.plain) found.push('--tools with --plain: plain text is continued without them');
  else if (tools && !isTold(text, tools)) {
    found.push('--tools: the chat template does not print the definitions of tools, so the model knows of none');
  }
  if (options.thinking !== undefined && !(renderer && /\benable_thinking\b/.test(renderer.template.source))) {
    found.push(`${options.thinking ? '--thinking' : '--no-thinking'}: the chat template has no such switch`);
  }
  if (options.plain && options.system !== undefined) {
    found.push('--system with --plain: the text is only put before the prompt, as plain text');
  }
  return found;
}

export function describeEnd({ tokens, reason, firstMilliseconds, tokensPerSecond }: AnswerEnd): string {
  const why = reason === 'stop' ? '' : `, ${endings[reason]}`;
  return `${formatCount(tokens)} tokens, the first after ${(firstMilliseconds / 1000).toFixed(1)} s, then ${formatCount(tokensPerSecond)}/s${why}`;
}
