import type { JsonObject } from '../../json.ts';
import type { GgufMetadata } from '../metadata.ts';
import { metadataString, metadataStrings } from '../metadata.ts';
import type { BpeTokenizer, GgufTokenizerKind } from './huggingFace.ts';
import { notExportable } from './huggingFace.ts';
import { formatPreTokenizer, preTokenizerNamed, recognizePreTokenizer } from './preTokenizers.ts';
import type { Vocabulary } from './vocabulary.ts';
import { formatVocab, invalidTokenizer } from './vocabulary.ts';

/** `tokenizer.ggml.model = gpt2`: BPE over bytes written as printable characters (GPT-2, Llama 3, Qwen, SmolLM, Mistral Nemo). */

/** tokenizer.json without added tokens and post-processor. */
export function byteLevelFromGguf(
  metadata: GgufMetadata,
  vocabulary: Vocabulary,
  path: string,
): { parts: JsonObject; addBos: boolean; postProcessor: JsonObject } {
  // Files from before `pre` existed: llama.cpp falls back to the same rules, with a warning.
  const pre = preTokenizerNamed(metadataString(metadata, 'tokenizer.ggml.pre', path) ?? 'default', path);
  const merges = metadataStrings(metadata, 'tokenizer.ggml.merges', path);
  if (merges === undefined) throw invalidTokenizer('the merges are missing', path);
  checkMerges(merges, vocabulary, path);
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    parts: {
      ...formatPreTokenizer(pre),
      decoder: byteLevel,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: pre.ignoreMerges === true,
        vocab: formatVocab(vocabulary),
        merges,
      },
    },
    addBos: pre.addBos,
    postProcessor: { ...byteLevel, trim_offsets: false },
  };
}

export function byteLevelToGguf(
  tokenizerJson: JsonObject,
  { merges, ignoreMerges }: BpeTokenizer,
  where: string,
): GgufTokenizerKind {
  const { names } = recognizePreTokenizer(tokenizerJson, ignoreMerges, where);
  if (merges.some(([left, right]) => left.includes(' ') || right.includes(' '))) {
    throw notExportable('a merge contains a space', where);
  }
  const value = merges.map(([left, right]) => `${left} ${right}`);
  return {
    model: 'gpt2',
    pre: names[0] as string,
    types: new Map(),
    entries: [['tokenizer.ggml.merges', { type: 'array', items: 'string', value }]],
  };
}

/** The tokenizers library refuses a file whose merges lead out of the vocabulary, with a message that names no file. */
function checkMerges(merges: readonly string[], { tokens }: Vocabulary, path: string): void {
  const known = new Set(tokens);
  for (const merge of merges) {
    const [left, right, ...more] = merge.split(' ');
    const valid = left && right && more.length === 0 && known.has(left) && known.has(right) && known.has(left + right);
    if (!valid)
      throw invalidTokenizer(`the merge ${JSON.stringify(merge)} is not of two tokens that make a third`, path);
  }
}
