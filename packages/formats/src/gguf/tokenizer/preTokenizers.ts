import { UserError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { flatten, readSplits, SPLITS } from '../../tokenizer/splits.ts';
import { notExportable } from './huggingFace.ts';

/**
 * How byte-level BPE cuts text into words before merging. GGUF has only a name for it (`tokenizer.ggml.pre`), tokenizer.json the
 * patterns themselves. llama.cpp's converter finds the name by hashing the ids of a test text; here it is recognized by the
 * patterns, so that a tokenizer with a vocabulary of its own (trained from scratch, extended) is recognized as well.
 */
export interface PreTokenizer {
  /** Values of `tokenizer.ggml.pre`; the first is the one written. */
  readonly names: readonly string[];
  /** Patterns that cut the text one after the other; every match becomes a word, and so does what lies between. */
  readonly splits: readonly string[];
  readonly normalizer: 'NFC' | null;
  /** A word that is a token is taken whole, even where the merges would not get there. `any`: llama.cpp ignores the flag. */
  readonly ignoreMerges: boolean | 'any';
  /** llama.cpp's default where `tokenizer.ggml.add_bos_token` is absent. */
  readonly addBos: boolean;
}

const plain = { normalizer: null, ignoreMerges: false, addBos: false } as const;

/** The families llama.cpp knows whose tokenizer.json has the same splits as llama.cpp applies. Source: src/llama-vocab.cpp. */
const PRE_TOKENIZERS: readonly PreTokenizer[] = [
  { ...plain, names: ['smollm', 'starcoder', 'refact', 'codeshell'], splits: [SPLITS.digit, SPLITS.gpt2] },
  { ...plain, names: ['command-r'], splits: [SPLITS.digit, SPLITS.gpt2], normalizer: 'NFC' },
  { ...plain, names: ['gpt-2', 'phi-2'], splits: [SPLITS.gpt2] },
  { ...plain, names: ['olmo', 'mpt'], splits: [SPLITS.gpt2], normalizer: 'NFC' },
  {
    ...plain,
    names: ['llama-bpe', 'llama3', 'llama-v3', 'lfm2'],
    splits: [SPLITS.llama3],
    ignoreMerges: true,
    addBos: true,
  },
  { ...plain, names: ['dbrx', 'smaug-bpe'], splits: [SPLITS.llama3] },
  { ...plain, names: ['qwen2', 'megrez'], splits: [SPLITS.qwen2], normalizer: 'NFC' },
  { ...plain, names: ['deepseek-r1-qwen'], splits: [SPLITS.qwen2] },
  { ...plain, names: ['qwen35'], splits: [SPLITS.qwen35], normalizer: 'NFC' },
  { ...plain, names: ['tekken'], splits: [SPLITS.tekken], ignoreMerges: true, addBos: true },
  { ...plain, names: ['gpt-4o'], splits: [SPLITS.gpt4o], ignoreMerges: 'any' },
  { ...plain, names: ['deepseek-v3'], splits: [SPLITS.upToThreeDigits, SPLITS.chineseOrKana, SPLITS.deepSeek3] },
  { ...plain, names: ['default'], splits: [SPLITS.punctuation, SPLITS.gpt2, SPLITS.digits, SPLITS.threeDigits] },
];

/** @throws UserError for a name whose splits are not known */
export function preTokenizerNamed(name: string, where: string): PreTokenizer {
  const found = PRE_TOKENIZERS.find(({ names }) => names.includes(name));
  if (found !== undefined) return found;
  throw new UserError({
    what: `the tokenizer splits text by the rules called "${name}", which Anneal does not know`,
    where: `${where}: tokenizer.ggml.pre`,
    next: `take the model's Hugging Face folder instead; known are ${PRE_TOKENIZERS.map(({ names }) => names[0]).join(' ')}`,
    code: 'gguf_pre_tokenizer_unknown',
  });
}

/** @throws UserError when llama.cpp has no name for how this tokenizer.json splits text */
export function recognizePreTokenizer(tokenizerJson: JsonObject, ignoreMerges: boolean, where: string): PreTokenizer {
  const found = readSplits(tokenizerJson.pre_tokenizer);
  if (found === null)
    throw notExportable(`its pre_tokenizer ${JSON.stringify(tokenizerJson.pre_tokenizer).slice(0, 200)}`, where);
  const splits = JSON.stringify(found);
  const candidates = PRE_TOKENIZERS.filter(
    (known) => JSON.stringify(known.splits) === splits && [ignoreMerges, 'any'].includes(known.ignoreMerges),
  );
  const normalizer = readNormalizer(tokenizerJson.normalizer, where);
  // llama.cpp never normalizes, so the other normalizer's name gives the same ids there.
  const best = candidates.find((known) => known.normalizer === normalizer) ?? candidates[0];
  if (best !== undefined) return best;
  throw notExportable('its pre_tokenizer (with this ignore_merges)', where);
}

/** `normalizer` and `pre_tokenizer` of tokenizer.json. */
export function formatPreTokenizer({ splits, normalizer }: PreTokenizer): JsonObject {
  const endsWithGpt2 = splits.at(-1) === SPLITS.gpt2;
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: endsWithGpt2 };
  const steps = (endsWithGpt2 ? splits.slice(0, -1) : splits).map(formatSplit);
  return {
    normalizer: normalizer === null ? null : { type: normalizer },
    pre_tokenizer: steps.length === 0 ? byteLevel : { type: 'Sequence', pretokenizers: [...steps, byteLevel] },
  };
}

function formatSplit(pattern: string): JsonObject {
  if (pattern === SPLITS.digit) return { type: 'Digits', individual_digits: true };
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

function readNormalizer(normalizer: unknown, where: string): 'NFC' | null {
  const steps = flatten(normalizer, 'normalizers');
  if (steps.length === 0) return null;
  if (steps.length === 1 && steps[0]?.type === 'NFC') return 'NFC';
  throw notExportable(`its normalizer ${JSON.stringify(normalizer).slice(0, 200)}`, where);
}
