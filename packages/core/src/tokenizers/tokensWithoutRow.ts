import { isJsonObject, type JsonObject, parseJsonObject } from '@anneal/formats/json';
import { UserError } from '../errors.ts';
import type { Warning } from '../protocol/events.ts';
import { configOf, withConfiguredTokens, withoutAddedTokens } from './configuredTokens.ts';
import type { TokenizedText } from './tokenizedText.ts';
import type { AddedToken, Tokenizer } from './tokenizer.ts';

const NAMED = 8;

/** A model, as far as its tokenizer is concerned. */
interface WithTokenizer {
  readonly path: string;
  readonly config: { readonly vocabSize: number };
  readonly tokenizerFiles: readonly string[];
  readTokenizerFile(name: string): Uint8Array;
}

/**
 * A tokenizer without the added tokens for which the model has no row: somebody added a padding token, say, and left the
 * embedding as it was.
 * @param rows of the embedding
 */
export function withoutTokensBeyond(
  { tokenizerJson: written, tokenizerConfig: config }: { tokenizerJson: JsonObject; tokenizerConfig: JsonObject },
  rows: number,
  where: string,
): { tokenizerJson: JsonObject; tokenizerConfig: JsonObject } {
  const tokenizerJson = withConfiguredTokens(written, config, where);
  const tokenizerConfig = withoutAddedTokens(config);
  const beyond = tokensBeyond(tokenizerJson, rows);
  if (beyond.length === 0) return { tokenizerJson, tokenizerConfig };
  const { pad_token: pad, ...rest } = tokenizerConfig;
  const padText = isJsonObject(pad) ? pad['content'] : pad;
  return {
    tokenizerJson: {
      ...tokenizerJson,
      added_tokens: (tokenizerJson['added_tokens'] as JsonObject[]).filter(({ id }) => Number(id) < rows),
    },
    tokenizerConfig: beyond.includes(String(padText)) ? rest : tokenizerConfig,
  };
}

/** The texts of the tokens that a model has no row for. @throws UserError */
export function tokensWithoutRow(model: WithTokenizer): string[] {
  const name = 'tokenizer.json';
  if (!model.tokenizerFiles.includes(name)) return [];
  const read = (file: string): JsonObject | null =>
    model.tokenizerFiles.includes(file)
      ? parseJsonObject(model.readTokenizerFile(file), `${model.path}: ${file}`)
      : null;
  const tokenizerJson = withConfiguredTokens(read(name) ?? {}, configOf(read), model.path);
  return tokensBeyond(tokenizerJson, model.config.vocabSize);
}

/** What to say of them; null where there are none. */
export function describeWithoutRow(tokens: readonly string[]): string | null {
  if (tokens.length === 0) return null;
  const named = tokens.slice(0, NAMED).join(' ');
  const more = tokens.length > NAMED ? ` and ${tokens.length - NAMED} more` : '';
  return `the tokenizer adds tokens that the model has no row for in its embedding, and cannot read: ${named}${more}`;
}

export function withoutRowWarnings(tokens: readonly string[], path: string): Warning[] {
  const message = describeWithoutRow(tokens);
  if (message === null) return [];
  const next = 'nothing, if no text holds one; else use a copy of the model whose embedding was enlarged for them';
  return [{ type: 'warning', code: 'tokens_without_row', message, where: path, next }];
}

function tokensBeyond({ added_tokens: added }: JsonObject, rows: number): string[] {
  if (!Array.isArray(added)) return [];
  return added
    .filter((token) => isJsonObject(token) && Number(token['id']) >= rows)
    .map(({ content }) => String(content));
}

/** The first of these ids that the model has no row for. */
export function tokenWithoutRow({ withoutRow }: Tokenizer, ids: ArrayLike<number>): AddedToken | null {
  if (withoutRow.length === 0) return null;
  return withoutRow.find(({ id }) => Array.prototype.includes.call(ids, id)) ?? null;
}

/** Ids of a text that a model is to read. @throws UserError where they are not all of it, or the model has no row for one */
export function readableIds(tokenizer: Tokenizer, { ids, lost }: TokenizedText): Int32Array {
  if (lost !== null) {
    throw new UserError({
      what: `the tokenizer has no token for ${JSON.stringify(lost)}, so that the model cannot read all of the text`,
      next: 'leave it out of the text and of what the chat template prints, or use a model whose tokenizer knows it',
      code: 'content_lost',
    });
  }
  const token = tokenWithoutRow(tokenizer, ids);
  if (token === null) return ids;
  throw new UserError({
    what: `the text holds ${token.text}, a token (id ${token.id}) that the model has no row for in its embedding`,
    next: 'leave it out of the text and of what the chat template prints, or use a copy of the model whose embedding was enlarged for it',
    code: 'token_without_row',
  });
}
