import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { openGguf } from '@anneal/formats/gguf/read';
import { tokenizerFromGguf } from '@anneal/formats/gguf/tokenizer';
import { isJsonObject, type JsonObject, parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';
import { type Encoding, Tokenizer as RustTokenizer } from 'tokenizers';
import { TokenizedText } from './tokenizedText.ts';

export interface SpecialToken {
  readonly id: number;
  readonly text: string;
}

/** A token that the vocabulary holds besides the model's own, recognised in any text. */
export interface AddedToken extends SpecialToken {
  /** Left out by `decode` with `skipSpecial`. */
  readonly special: boolean;
}

/** Text ↔ token ids, by Hugging Face's own library, which works off the main thread. */
export interface Tokenizer {
  /** SHA-256 of tokenizer.json. */
  readonly fingerprint: string;
  /** Largest id + 1, added tokens included. */
  readonly vocabSize: number;
  readonly bos: SpecialToken | null;
  readonly eos: SpecialToken | null;
  readonly pad: SpecialToken | null;
  readonly unk: SpecialToken | null;
  readonly addedTokens: readonly AddedToken[];
  /** Jinja source, or null where the tokenizer brings none. */
  readonly chatTemplate: string | null;
  /** Texts exactly as given: control tokens in them become their ids, none are added. What chat templates print is encoded so. */
  encode(text: string): Promise<TokenizedText>;
  /** As `encode`, using all cores. */
  encodeBatch(texts: readonly string[]): Promise<TokenizedText[]>;
  /** With what the tokenizer puts around a plain text, usually its BOS token. */
  encodeWithSpecial(text: string): Promise<TokenizedText>;
  encodeBatchWithSpecial(texts: readonly string[]): Promise<TokenizedText[]>;
  decode(ids: ArrayLike<number>, options?: { skipSpecial?: boolean }): Promise<string>;
  /** Null for a token that does not exist. */
  idOf(token: string): number | null;
  /** How the vocabulary spells the token (byte-level vocabularies write a space as Ġ); null for an id that does not exist. */
  tokenText(id: number): string | null;
}

/** The two files as values, for tokenizers that come out of something else, such as a GGUF. */
export interface TokenizerFiles {
  readonly tokenizerJson: string | JsonObject;
  readonly tokenizerConfig: JsonObject;
}

/**
 * Opens `tokenizer.json`, `tokenizer_config.json` and, where they are, `special_tokens_map.json` and `chat_template.jinja` of a folder;
 * or rebuilds them from a GGUF file.
 * @throws UserError `tokenizer_missing`, `tokenizer_invalid`
 */
export function openTokenizer(source: string | TokenizerFiles): Tokenizer {
  const files = typeof source === 'string' ? readFiles(source) : source;
  const where = typeof source === 'string' ? source : 'tokenizer.json';
  const text = typeof files.tokenizerJson === 'string' ? files.tokenizerJson : JSON.stringify(files.tokenizerJson);
  const rust = openRust(text, where);
  const config = files.tokenizerConfig;
  const addedTokens = addedTokensOf(text);
  const special = (key: string): SpecialToken | null => {
    const token = textOfToken(config[key]);
    const id = token === null ? null : rust.tokenToId(token);
    return token === null || id === null ? null : { id, text: token };
  };
  const encode = async (input: string, addSpecialTokens: boolean): Promise<TokenizedText> =>
    new TokenizedText(input, await rust.encode(input, null, { addSpecialTokens }));
  const encodeBatch = async (inputs: readonly string[], addSpecialTokens: boolean): Promise<TokenizedText[]> => {
    const encodings: Encoding[] = await rust.encodeBatch([...inputs], { addSpecialTokens });
    return encodings.map((encoding, i) => new TokenizedText(inputs[i] as string, encoding));
  };
  return {
    fingerprint: createHash('sha256').update(text).digest('hex'),
    vocabSize: addedTokens.reduce((size, token) => Math.max(size, token.id + 1), rust.getVocabSize(true)),
    bos: special('bos_token'),
    eos: special('eos_token'),
    pad: special('pad_token'),
    unk: special('unk_token'),
    addedTokens,
    chatTemplate: templateOf(config.chat_template),
    encode: (input) => encode(input, false),
    encodeBatch: (inputs) => encodeBatch(inputs, false),
    encodeWithSpecial: (input) => encode(input, true),
    encodeBatchWithSpecial: (inputs) => encodeBatch(inputs, true),
    decode: (ids, { skipSpecial = false } = {}) => rust.decode(Array.from(ids), skipSpecial),
    idOf: (token) => rust.tokenToId(token),
    tokenText: (id) => rust.idToToken(id),
  };
}

function readFiles(path: string): TokenizerFiles {
  if (!path.endsWith('.gguf')) return readFolder(path);
  const gguf = openGguf(path);
  try {
    return tokenizerFromGguf(gguf.metadata, path);
  } finally {
    gguf.close();
  }
}

function readFolder(folder: string): TokenizerFiles {
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) {
    const sentencePiece = existsSync(join(folder, 'tokenizer.model'));
    throw new UserError({
      what: sentencePiece ? 'the folder has only a SentencePiece tokenizer.model' : 'the folder has no tokenizer.json',
      where: folder,
      next: 'take a copy of the model that has tokenizer.json (transformers writes it with AutoTokenizer…save_pretrained)',
      code: 'tokenizer_missing',
    });
  }
  const optional = (name: string): JsonObject => {
    const file = join(folder, name);
    return existsSync(file) ? parseJsonObject(readSmallFile(file, LIMITS.configBytes), file) : {};
  };
  const template = join(folder, 'chat_template.jinja');
  return {
    tokenizerJson: new TextDecoder().decode(readSmallFile(path, LIMITS.tokenizerBytes)),
    tokenizerConfig: {
      ...optional('special_tokens_map.json'),
      ...optional('tokenizer_config.json'),
      ...(existsSync(template)
        ? { chat_template: new TextDecoder().decode(readSmallFile(template, LIMITS.configBytes)) }
        : {}),
    },
  };
}

function openRust(text: string, where: string): RustTokenizer {
  try {
    // Offsets shall cover every character: some tokenizers leave the blank before a word out of them. Ids do not change.
    const tokenizer = RustTokenizer.fromString(text.replaceAll(/"trim_offsets"\s*:\s*true/g, '"trim_offsets":false'));
    tokenizer.disableTruncation();
    tokenizer.disablePadding();
    return tokenizer;
  } catch (cause) {
    throw new UserError({
      what: `the tokenizer cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      where,
      next: 'download the file again; it must be written by the tokenizers library',
      code: 'tokenizer_invalid',
      cause,
    });
  }
}

function addedTokensOf(text: string): AddedToken[] {
  const { added_tokens: tokens } = JSON.parse(text) as {
    added_tokens?: { id: number; content: string; special: boolean }[];
  };
  return (tokens ?? []).map(({ id, content, special }) => ({ id, text: content, special }));
}

/** A token of tokenizer_config.json: its text, or an object with the text. */
function textOfToken(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return isJsonObject(value) && typeof value.content === 'string' ? value.content : null;
}

/** One template, or a list of named ones of which `default` is meant. */
function templateOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return null;
  const named = value.filter(isJsonObject).find(({ name }) => name === 'default');
  return typeof named?.template === 'string' ? named.template : null;
}
