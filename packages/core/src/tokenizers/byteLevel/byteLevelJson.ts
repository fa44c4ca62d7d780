import type { JsonObject } from '@anneal/formats/json';
import { BYTE_CHARACTERS } from './byteAlphabet.ts';

/** `tokenizer.json` of byte-level BPE: special tokens, then the 256 bytes, then one token for each merge. */
export function byteLevelJson(
  specialTokens: readonly string[],
  merges: readonly (readonly [string, string])[],
): JsonObject {
  const tokens = [...specialTokens, ...BYTE_CHARACTERS, ...merges.map(([left, right]) => left + right)];
  if (new Set(tokens).size !== tokens.length) throw new Error('two merges make the same token');
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}
