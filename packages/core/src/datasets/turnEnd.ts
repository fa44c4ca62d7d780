import type { ChatRenderer } from './chatRenderer.ts';
import type { Span } from './types.ts';

export interface TurnEnd {
  /** Where the content ends. */
  readonly content: number;
  /** Where the end token after it does; white space behind that belongs to the template. */
  readonly token: number | null;
  /** The model stops at that token. */
  readonly stops: boolean;
}

/** How the turn at `range` ends: with a token of its own, or else with the one that stands right behind it. */
export function endOf(text: string, range: Span, renderer: ChatRenderer): TurnEnd {
  const own = ownEnd(text, range, renderer);
  if (own.token !== null) return own;
  // GLM opens each turn with a token at which the model stops; others print an end of text behind the last message.
  const behind = text.slice(range.end);
  const stop = behind.trimStart();
  const token = renderer.endTokens.find((candidate) => stop.startsWith(candidate));
  if (token === undefined) return own;
  return { content: range.end, token: range.end + (behind.length - stop.length) + token.length, stops: true };
}

/** As `endOf`, by what stands within the turn alone. */
export function ownEnd(text: string, range: Span, { endTokens, closingTokens }: ChatRenderer): TurnEnd {
  const end = range.start + text.slice(range.start, range.end).trimEnd().length;
  const isLast = (token: string): boolean => text.slice(range.start, end).endsWith(token);
  const stop = endTokens.find(isLast);
  const token = stop ?? closingTokens.find(isLast);
  if (token === undefined) return { content: range.end, token: null, stops: false };
  return { content: end - token.length, token: end, stops: stop !== undefined };
}
