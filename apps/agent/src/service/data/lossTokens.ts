import { idOfWord, isTargetWord } from '@anneal/core/datasets/tokenStore';
import type { LossToken } from '@anneal/core/protocol/batches';
import type { Tokenizer } from '@anneal/core/tokenizers/tokenizer';
import type { TokenPiece } from '@anneal/core/tokenizers/tokenPieces';

/**
 * The tokens of a document as a person looks at them. Of a character in several tokens the last one has the text.
 * @param words as the token store has them
 * @param losses of its target tokens, in order
 */
export async function lossTokens(
  words: Uint32Array,
  { addedTokens, tokenText }: Tokenizer,
  pieceOf: (id: number) => Promise<TokenPiece>,
  losses: Float64Array | undefined,
): Promise<LossToken[]> {
  const control = new Set(addedTokens.filter(({ special }) => special).map(({ id }) => id));
  const decoder = new TextDecoder();
  const tokens: LossToken[] = [];
  let next = 0;
  for (const [at, word] of words.entries()) {
    const id = idOfWord(word);
    const bytes = Uint8Array.from((await pieceOf(id)).bytes);
    // Nothing comes before the first token, so nothing predicts it.
    const target = at > 0 && isTargetWord(word);
    tokens.push({
      id,
      text: decoder.decode(bytes, { stream: true }),
      spelled: tokenText(id) ?? '',
      bytes: Buffer.from(bytes).toString('hex'),
      isControl: control.has(id),
      target,
      ...(target && losses && { loss: finite(losses[next++] as number) }),
    });
  }
  return tokens;
}

/** Six digits, as far as it is a number. */
function finite(loss: number): number | null {
  return Number.isFinite(loss) ? Number(loss.toPrecision(6)) : null;
}
