import type { MaskOptions } from './render.ts';
import type { Content, Rendered, Span, TokenRange, TokenReason } from './types.ts';

/** What decides about the tokens of one row. */
export interface ReasonOptions {
  readonly content: Content;
  readonly rendered: Rendered;
  readonly mask: MaskOptions;
  readonly endTokens: readonly string[];
}

/**
 * Why a token is trained, or is not.
 * @param token where it stands in the rendered text; @param index in the row; @param isMasked what the loss mask says
 */
export function reasonOf(
  token: Span,
  index: number,
  isMasked: boolean,
  turn: TokenRange | undefined,
  { content, rendered, mask, endTokens }: ReasonOptions,
): TokenReason {
  if (isMasked) {
    if (index === 0) return 'first';
    if (content.kind === 'text' || mask.trainOnInputs) return 'everything';
    return endTokens.includes(rendered.text.slice(token.start, token.end)) ? 'end_token' : 'answer';
  }
  if (turn === undefined || content.kind === 'text') return 'template';
  const isWanted = content.train[turn.message];
  if (isWanted === false) return 'marked';
  if (isWanted !== true && !mask.rolesToTrain.includes(turn.role)) return 'role';
  const supervised = rendered.turns.find(({ message }) => message === turn.message)?.supervised;
  return supervised && token.start >= supervised.end ? 'end' : 'header';
}
