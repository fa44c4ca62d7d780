import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '@anneal/formats/json';
import { templatesOf } from '../templates/chatTemplates.ts';
import { byteLevelCodec } from './byteLevel/byteLevelCodec.ts';
import type { AddedToken, Codec, SpecialToken } from './codec.ts';
import { withConfiguredTokens } from './configuredTokens.ts';
import { tokenizerInvalid } from './errors.ts';
import { readTokenizerFiles, type TokenizerFiles } from './files.ts';
import { libraryCodec } from './libraryCodec.ts';
import type { TokenizedText } from './tokenizedText.ts';

export type { AddedToken, SpecialToken } from './codec.ts';
export type { TokenizerFiles } from './files.ts';

/** Text ↔ token ids, and what else a model's tokenizer files say. */
export interface Tokenizer {
  /** SHA-256 of tokenizer.json, and of the added tokens where its configuration names others. */
  readonly fingerprint: string;
  /** Largest id + 1, added tokens included. */
  readonly vocabSize: number;
  readonly bos: SpecialToken | null;
  readonly eos: SpecialToken | null;
  readonly pad: SpecialToken | null;
  readonly unk: SpecialToken | null;
  readonly addedTokens: readonly AddedToken[];
  /** Those of them that the model it was opened for has no row for: it cannot read them. */
  readonly withoutRow: readonly AddedToken[];
  /** Jinja source of the default template, or null where the tokenizer brings none. */
  readonly chatTemplate: string | null;
  /** Texts exactly as given: control tokens in them become their ids, none are added. What chat templates print is encoded so. */
  encode(text: string): Promise<TokenizedText>;
  /** As `encode`, in the order given. */
  encodeBatch(texts: readonly string[]): Promise<TokenizedText[]>;
  /** With what the tokenizer puts around a plain text, usually its BOS token. */
  encodeWithSpecial(text: string): Promise<TokenizedText>;
  encodeBatchWithSpecial(texts: readonly string[]): Promise<TokenizedText[]>;
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): Promise<string>;
  /** Null for a token that does not exist. */
  idOf(token: string): number | null;
  /** How the vocabulary spells the token (byte-level vocabularies write a space as Ġ); null for an id that does not exist. */
  tokenText(id: number): string | null;
  /** What the token stands for, where that does not depend on its neighbors; null where it does, or the id does not exist. */
  tokenBytes(id: number): Uint8Array | null;
}

/**
 * Opens `tokenizer.json`, `tokenizer_config.json` and, where they are, `special_tokens_map.json` and the chat templates of a folder;
 * or rebuilds them from a GGUF file.
 * @param where names the tokenizer in errors
 * @throws UserError `tokenizer_missing`, `tokenizer_invalid`
 */
export function openTokenizer(
  source: string | TokenizerFiles,
  where = typeof source === 'string' ? source : 'tokenizer.json',
): Tokenizer {
  const files = typeof source === 'string' ? readTokenizerFiles(source) : source;
  const text = typeof files.tokenizerJson === 'string' ? files.tokenizerJson : JSON.stringify(files.tokenizerJson);
  const written = parse(text, where);
  const tokenizerJson = withConfiguredTokens(written, files.tokenizerConfig, where);
  refuseSharedIds(tokenizerJson, where);
  const addedTokens = addedTokensOf(tokenizerJson, where);
  let library: Codec | null = null;
  const openLibrary = (): Codec => (library ??= libraryCodec(tokenizerJson, addedTokens, where));
  const codec = byteLevelCodec(tokenizerJson, addedTokens, where, openLibrary) ?? openLibrary();
  const config = files.tokenizerConfig;
  const special = (key: string): SpecialToken | null => {
    const token = textOfToken(config[key], key, where);
    const id = token === null ? null : codec.idOf(token);
    return token === null || id === null ? null : { id, text: token };
  };
  const eos = special('eos_token');
  // Without it no answer would be trained to end. Others that are not there (a padding token, often) are not needed.
  if (eos === null && textOfToken(config['eos_token'], 'eos_token', where))
    throw tokenizerInvalid(
      `its eos_token is ${JSON.stringify(config['eos_token'])}, which is none of its tokens`,
      where,
    );
  return {
    fingerprint: createHash('sha256')
      .update(text)
      .update(tokenizerJson === written ? '' : JSON.stringify(tokenizerJson['added_tokens']))
      .digest('hex'),
    vocabSize: codec.vocabSize,
    bos: special('bos_token'),
    eos,
    pad: special('pad_token'),
    unk: special('unk_token'),
    addedTokens,
    withoutRow: [],
    chatTemplate: templatesOf(config.chat_template, where)?.default ?? null,
    encode: async (input) => (await codec.encode([input], false))[0] as TokenizedText,
    encodeBatch: (inputs) => codec.encode(inputs, false),
    encodeWithSpecial: async (input) => (await codec.encode([input], true))[0] as TokenizedText,
    encodeBatchWithSpecial: (inputs) => codec.encode(inputs, true),
    decode: (ids, { skipSpecial = false } = {}) => codec.decode(ids, skipSpecial),
    idOf: (token) => codec.idOf(token),
    tokenText: (id) => codec.tokenText(id),
    tokenBytes: (id) => codec.tokenBytes(id),
  };
}

function parse(text: string, where: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw tokenizerInvalid(cause, where);
  }
  if (!isJsonObject(value)) throw tokenizerInvalid('its root is not an object', where);
  return value;
}

/** Which of two tokens with one id is decoded would be chance: it is in the tokenizers library. */
function refuseSharedIds({ model }: JsonObject, where: string): void {
  const vocabulary = isJsonObject(model) && isJsonObject(model['vocab']) ? Object.entries(model['vocab']) : [];
  const tokens = new Map<unknown, string>();
  for (const [token, id] of vocabulary) {
    const other = tokens.get(id);
    if (other !== undefined)
      throw tokenizerInvalid(`${JSON.stringify(other)} and ${JSON.stringify(token)} both have the id ${id}`, where);
    tokens.set(id, token);
  }
}

/** Those with a text: the tokenizers library passes over the others. */
function addedTokensOf({ added_tokens: tokens }: JsonObject, where: string): AddedToken[] {
  const list = tokens ?? [];
  if (!Array.isArray(list)) throw tokenizerInvalid('added_tokens is not a list', where);
  const added = list.map((token) => {
    const { id, content, special } = isJsonObject(token) ? token : {};
    if (!Number.isInteger(id) || typeof content !== 'string')
      throw tokenizerInvalid(`the added token ${JSON.stringify(token)} has no id or no content`, where);
    return { id: id as number, text: content, special: special === true };
  });
  return added.filter(({ text }) => text !== '');
}

/** A token of tokenizer_config.json: its text, or an object with the text. */
function textOfToken(value: unknown, key: string, where: string): string | null {
  const text = isJsonObject(value) ? value['content'] : value;
  if (typeof text === 'string') return text;
  if (value === undefined || value === null) return null;
  throw tokenizerInvalid(`its ${key} is ${JSON.stringify(value)}, which is neither a text nor has one`, where);
}
