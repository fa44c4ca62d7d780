import { UserError } from '../../errors.ts';
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
  const pre = preTokenizerNamed(requirePreTokenizer(metadata, path), path);
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

/** llama.cpp takes rules of its own where a file names none, with a warning: the ids are then not those the model was made with. */
function requirePreTokenizer(metadata: GgufMetadata, path: string): string {
  const name = metadataString(metadata, 'tokenizer.ggml.pre', path);
  if (name !== undefined) return name;
  throw new UserError({
    what: 'the file does not say by which rules its tokenizer splits text: it was converted before April 2024',
    where: `${path}: tokenizer.ggml.pre`,
    next: "take a newer GGUF file of the model, or the model's Hugging Face folder",
    code: 'gguf_pre_tokenizer_unknown',
  });
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
export function checkMerges(merges: readonly string[], { tokens }: Vocabulary, path: string): void {
  const known = new Set(tokens);
  for (const merge of merges) {
    const [left, right, ...more] = merge.split(' ');
    const valid = left && right && more.length === 0 && known.has(left) && known.has(right) && known.has(left + right);
    if (!valid)
      throw invalidTokenizer(`the merge ${JSON.stringify(merge)} is not of two tokens that make a third`, path);
  }
}
