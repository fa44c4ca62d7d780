import type { ShownToken } from '@anneal/core/protocol/conversations';
import { partThinking } from '@anneal/core/protocol/thinking';

/** How many characters all of these texts begin with; null where there is nothing to compare, or they do not differ. */
export function partingText(texts: readonly string[]): number | null {
  const [first = '', ...others] = texts;
  if (others.length === 0 || texts.some((text) => text === '')) return null;
  let at = 0;
  while (at < first.length && others.every((text) => text[at] === first[at])) at++;
  // An answer that is not finished may still go on as the others.
  return others.every((text) => text.length > at) && at < first.length ? at : null;
}

/** The number of the first token in which the answers differ; null where they do not. */
export function partingToken(columns: readonly (readonly ShownToken[])[]): number | null {
  const [first = [], ...others] = columns;
  if (others.length === 0 || columns.some((tokens) => tokens.length === 0)) return null;
  const at = first.findIndex(({ text }, index) => others.some((tokens) => tokens[index]?.text !== text));
  return at < 0 ? null : at;
}

export interface Said {
  /** What the model thought before it answered; null where it did not. */
  thought: string | null;
  isThinking: boolean;
  /** Where the answer proper begins in the text. */
  start: number;
}

export function saidIn(text: string): Said {
  const { thinking, answer } = partThinking(text);
  if (thinking === null) return { thought: null, isThinking: false, start: text.length - answer.length };
  const isThinking = answer === '' && !text.endsWith('</think>');
  return { thought: thinking.trim(), isThinking, start: text.length - answer.trimStart().length };
}

/** Where what is said ends and folded calls follow; null where no calls are folded, as those that stand in a thought. */
export function endBeforeCalls(text: string, callsAt: number | null, start: number): number | null {
  return callsAt === null || text.slice(callsAt, start).trim() !== '' ? null : Math.max(callsAt, start);
}
