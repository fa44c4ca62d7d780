import { TokenizedText } from '../tokenizers/tokenizedText.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { tokenWithoutRow } from '../tokenizers/tokensWithoutRow.ts';
import { type Dropped, dropped, type Encoded, type Rendered, type Span } from './types.ts';

/** Tokenizes many rows at once, which is what the library is fast at. The order is kept. */
export async function encode(tokenizer: Tokenizer, rows: readonly Rendered[]): Promise<(Encoded | Dropped)[]> {
  const chats = rows.filter((row) => row.kind === 'chat');
  const texts = rows.filter((row) => row.kind === 'text');
  const [encodedChats, encodedTexts] = await Promise.all([
    tokenizer.encodeBatch(chats.map((row) => row.text)),
    tokenizer.encodeBatchWithSpecial(texts.map((row) => row.text)),
  ]);
  const results = new Map<Rendered, Encoded | Dropped>();
  const readable = (tokenized: TokenizedText, made: (text: TokenizedText) => Encoded | Dropped) =>
    unreadable(tokenizer, tokenized) ?? made(tokenized);
  for (const [i, row] of chats.entries())
    results.set(
      row,
      readable(encodedChats[i] as TokenizedText, (text) => maskChat(row, text)),
    );
  for (const [i, row] of texts.entries())
    results.set(
      row,
      readable(encodedTexts[i] as TokenizedText, (text) => plainText(text, tokenizer)),
    );
  return rows.map((row) => results.get(row) as Encoded | Dropped);
}

function unreadable(tokenizer: Tokenizer, { ids, lost }: TokenizedText): Dropped | null {
  if (lost !== null) return dropped('content_lost', `the tokenizer has no token for ${JSON.stringify(lost)}`);
  const token = tokenWithoutRow(tokenizer, ids);
  if (token === null) return null;
  return dropped('token_without_row', `it holds ${token.text}, a token (id ${token.id}) beyond the model's embedding`);
}

/** The whole text is tokenized at once, as at inference; a supervised part must begin and end between tokens. */
function maskChat({ text, turns, supervised }: Rendered, tokenized: TokenizedText): Encoded | Dropped {
  const lossMask = new Uint8Array(tokenized.ids.length);
  for (const span of supervised) {
    const [start, end] = [tokenized.boundaryAt(span.start), tokenized.boundaryAt(span.end)];
    if (start === null || end === null) {
      const at = start === null ? span.start : span.end;
      const around = JSON.stringify(text.slice(Math.max(0, at - 12), at + 12));
      const why = start === null ? whyJoined(text.slice(at)) : '';
      return dropped(
        'boundary_inside_token',
        `one token covers both sides of the ${start === null ? 'start' : 'end'} of a trained part, near ${around}${why}`,
      );
    }
    lossMask.fill(1, start, end);
  }
  const ranges = turns.map(({ role, message, start, end }) => ({
    role,
    message,
    ...tokensOf(tokenized, { start, end }),
  }));
  return { ids: tokenized.ids, lossMask, turns: ranges };
}

function whyJoined(answer: string): string {
  if (/^\s*<\/think>/.test(answer)) return ': the prompt begins thoughts, and the row has none';
  return /^\s/.test(answer) ? ': the answer begins with white space, which joins the prompt' : '';
}

/**
 * Every token of a plain text is a target token. It starts as the tokenizer starts texts and ends with EOS, so that the model learns to stop.
 * A text that writes these tokens itself, as one does that a chat template rendered, gets neither a second time.
 */
function plainText(tokenized: TokenizedText, tokenizer: Tokenizer): Encoded {
  const { ids } = begunOnce(tokenized, tokenizer);
  const { eos } = tokenizer;
  const isEnded = eos === null || ids.at(-1) === eos.id;
  const ended = isEnded ? ids : new Int32Array(ids.length + 1).fill(eos.id);
  if (!isEnded) ended.set(ids);
  return { ids: ended, lossMask: new Uint8Array(ended.length).fill(1), turns: [] };
}

/** A plain text without the BOS that its tokenizer puts before one of its own. */
export function begunOnce(tokenized: TokenizedText, { bos }: Tokenizer): TokenizedText {
  const { ids, starts, ends, lost } = tokenized;
  if (bos === null || ids[0] !== bos.id || ids[1] !== bos.id) return tokenized;
  return new TokenizedText({ ids: ids.subarray(1), starts: starts.subarray(1), ends: ends.subarray(1), lost });
}

function tokensOf(tokenized: TokenizedText, { start, end }: Span): Span {
  return { start: tokenized.firstAfter(start), end: tokenized.firstAfter(end) };
}
