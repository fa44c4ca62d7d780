import type { AnswerEnd } from '@anneal/core/protocol/chat';
import { formatCount } from '../units.ts';

const endings = {
  length: 'cut at --max-tokens',
  context: 'cut at --context',
  interrupted: 'interrupted',
} as const;

/** What a reader of the answer alone would not see; null for one that the model has ended. */
export function describeCut({ reason, tokens }: Pick<AnswerEnd, 'reason' | 'tokens'>): string | null {
  return reason === 'stop' ? null : `the answer is not whole: ${endings[reason]} after ${formatCount(tokens)} tokens`;
}

export function describeEnd({ tokens, reason, firstMilliseconds, tokensPerSecond }: AnswerEnd): string {
  const why = reason === 'stop' ? '' : `, ${endings[reason]}`;
  return `${formatCount(tokens)} tokens, the first after ${(firstMilliseconds / 1000).toFixed(1)} s, then ${formatCount(tokensPerSecond)}/s${why}`;
}

/** `weather({"city":"Lima"})` */
export function describeCall({ function: { name, arguments: given } }: AnswerEnd['toolCalls'][number]): string {
  return `${name}(${given})`;
}
