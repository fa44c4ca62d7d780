import { UserError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import type { GgufMetadata } from '../metadata.ts';
import { metadataNumber, metadataNumbers, metadataStrings } from '../metadata.ts';

/** `tokenizer.ggml.token_type`, llama.cpp's llama_token_type. */
export const TOKEN_TYPE = {
  undefined: 0,
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

export interface Vocabulary {
  /** By id. */
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  /** Ids of the tokens with a role, as far as the file names them. */
  readonly special: Readonly<Partial<Record<SpecialRole, number>>>;
}

export type SpecialRole = 'bos' | 'eos' | 'unk' | 'pad';

/** Spelled out in GGUF, short in tokenizer_config.json. */
export const SPECIAL_KEYS: Readonly<Record<SpecialRole, string>> = {
  bos: 'tokenizer.ggml.bos_token_id',
  eos: 'tokenizer.ggml.eos_token_id',
  unk: 'tokenizer.ggml.unknown_token_id',
  pad: 'tokenizer.ggml.padding_token_id',
};

/** -1 in 32 bits without a sign: there is none, as llama.cpp reads it. */
export const NO_TOKEN = 0xffff_ffff;

export const SPECIAL_ROLES = Object.keys(SPECIAL_KEYS) as SpecialRole[];

export function readVocabulary(metadata: GgufMetadata, path: string): Vocabulary {
  const tokens = metadataStrings(metadata, 'tokenizer.ggml.tokens', path);
  const types = metadataNumbers(metadata, 'tokenizer.ggml.token_type', path);
  if (tokens === undefined || types === undefined) throw invalidTokenizer('tokens or token_type are missing', path);
  if (types.length !== tokens.length) {
    throw invalidTokenizer(`${tokens.length} tokens have ${types.length} types`, path);
  }
  const known: readonly number[] = Object.values(TOKEN_TYPE);
  const odd = types.findIndex((type) => !known.includes(type));
  if (odd >= 0) throw invalidTokenizer(`token ${odd} has the type ${types[odd]}, which is none`, path);
  const long = tokens.find((token) => token.length > LIMITS.tokenCharacters);
  if (long !== undefined) throw invalidTokenizer(`a token has ${long.length} characters`, path);
  if (new Set(tokens).size !== tokens.length) throw invalidTokenizer('a token appears twice', path);

  const special: Partial<Record<SpecialRole, number>> = {};
  for (const role of SPECIAL_ROLES) {
    const id = metadataNumber(metadata, SPECIAL_KEYS[role], path);
    if (id === undefined || id === NO_TOKEN) continue;
    if (tokens[id] === undefined) throw invalidTokenizer(`${SPECIAL_KEYS[role]} is ${id} of ${tokens.length}`, path);
    special[role] = id;
  }
  return { tokens, types, special };
}

/** llama.cpp's converters fill rows of the embedding that have no token with these. */
export function fillerToken(id: number): string {
  return `[PAD${id}]`;
}

/**
 * `vocab` of the BPE model: every token but the fillers. Added tokens are in it too, since the tokenizers library numbers those
 * that are not by itself.
 */
export function formatVocab({ tokens, types }: Vocabulary): Record<string, number> {
  const isToken = (token: string, id: number) => types[id] !== TOKEN_TYPE.unused || token !== fillerToken(id);
  const entries = tokens.flatMap((token, id) => (isToken(token, id) ? [[token, id] as const] : []));
  return Object.fromEntries(entries);
}

/** `added_tokens`: found in the text before it is split; special ones are left out of decoded text. */
export function formatAddedTokens({ tokens, types, special }: Vocabulary): JsonObject[] {
  const withRole = new Set(Object.values(special));
  return tokens.flatMap((content, id) => {
    const isSpecial = types[id] === TOKEN_TYPE.control || types[id] === TOKEN_TYPE.unknown || withRole.has(id);
    if (!isSpecial && types[id] !== TOKEN_TYPE.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: isSpecial }];
  });
}

export function invalidTokenizer(what: string, where: string): UserError {
  return new UserError({
    what: `the tokenizer in this GGUF cannot be rebuilt: ${what}`,
    where,
    next: "take the model's Hugging Face folder instead",
    code: 'gguf_tokenizer_invalid',
  });
}
