import { UserError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { isJsonObject } from '../../json.ts';

/**
 * How byte-level BPE cuts text into words before merging. GGUF has only a name for it (`tokenizer.ggml.pre`), tokenizer.json the
 * patterns themselves. llama.cpp's converter finds the name by hashing the ids of a test text; here it is recognised by the
 * patterns, so that a tokenizer with a vocabulary of its own (trained from scratch, extended) is recognised as well.
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

/** tokenizer.json has types of its own for these two. */
const DIGIT = '\\p{N}';
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const REST = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const PUNCTUATION = ' ?[^\\s\\p{L}\\p{N}]+';
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const BEFORE_WORD = '[^\\r\\n\\p{L}\\p{N}]?';

const LLAMA3 = `${CONTRACTION}|${BEFORE_WORD}\\p{L}+|\\p{N}{1,3}|${PUNCTUATION}[\\r\\n]*|${REST}`;
const QWEN2 = `${CONTRACTION}|${BEFORE_WORD}\\p{L}+|\\p{N}|${PUNCTUATION}[\\r\\n]*|${REST}`;
const QWEN35 = `${CONTRACTION}|${BEFORE_WORD}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${REST}`;
const TEKKEN = `${BEFORE_WORD}${UPPER}*${LOWER}+|${BEFORE_WORD}${UPPER}+${LOWER}*|\\p{N}|${PUNCTUATION}[\\r\\n/]*|${REST}`;
const GPT4O =
  `${BEFORE_WORD}${UPPER}*${LOWER}+${CONTRACTION}?|${BEFORE_WORD}${UPPER}+${LOWER}*${CONTRACTION}?|` +
  `\\p{N}{1,3}|${PUNCTUATION}[\\r\\n/]*|${REST}`;
const DEEPSEEK3 =
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|' +
  REST;

const plain = { normalizer: null, ignoreMerges: false, addBos: false } as const;

/** The families llama.cpp knows whose tokenizer.json has the same splits as llama.cpp applies. Source: src/llama-vocab.cpp. */
const PRE_TOKENIZERS: readonly PreTokenizer[] = [
  { ...plain, names: ['smollm', 'starcoder', 'refact', 'codeshell'], splits: [DIGIT, GPT2] },
  { ...plain, names: ['command-r'], splits: [DIGIT, GPT2], normalizer: 'NFC' },
  { ...plain, names: ['gpt-2', 'phi-2'], splits: [GPT2] },
  { ...plain, names: ['olmo', 'mpt'], splits: [GPT2], normalizer: 'NFC' },
  { ...plain, names: ['llama-bpe', 'llama3', 'llama-v3'], splits: [LLAMA3], ignoreMerges: true, addBos: true },
  { ...plain, names: ['dbrx', 'smaug-bpe'], splits: [LLAMA3] },
  { ...plain, names: ['qwen2', 'megrez'], splits: [QWEN2], normalizer: 'NFC' },
  { ...plain, names: ['deepseek-r1-qwen'], splits: [QWEN2] },
  { ...plain, names: ['qwen35'], splits: [QWEN35], normalizer: 'NFC' },
  { ...plain, names: ['tekken'], splits: [TEKKEN], ignoreMerges: true, addBos: true },
  { ...plain, names: ['gpt-4o'], splits: [GPT4O], ignoreMerges: 'any' },
  { ...plain, names: ['deepseek-v3'], splits: ['\\p{N}{1,3}', '[一-龥\u3040-ゟ゠-ヿ]+', DEEPSEEK3] },
  { ...plain, names: ['default'], splits: ['[\\p{P}\\$\\+<=>\\^~\\|]+', GPT2, '\\p{N}+', '[0-9][0-9][0-9]'] },
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
export function recognisePreTokenizer(tokenizerJson: JsonObject, ignoreMerges: boolean, where: string): PreTokenizer {
  const splits = JSON.stringify(readSplits(tokenizerJson.pre_tokenizer, where));
  const candidates = PRE_TOKENIZERS.filter(
    (known) => JSON.stringify(known.splits) === splits && [ignoreMerges, 'any'].includes(known.ignoreMerges),
  );
  const normalizer = readNormalizer(tokenizerJson.normalizer, where);
  // llama.cpp never normalises, so the other normalizer's name gives the same ids there.
  const found = candidates.find((known) => known.normalizer === normalizer) ?? candidates[0];
  if (found !== undefined) return found;
  throw unknown('its pre_tokenizer (with this ignore_merges)', where);
}

/** `normalizer` and `pre_tokenizer` of tokenizer.json. */
export function formatPreTokenizer({ splits, normalizer }: PreTokenizer): JsonObject {
  const endsWithGpt2 = splits.at(-1) === GPT2;
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: endsWithGpt2 };
  const steps = (endsWithGpt2 ? splits.slice(0, -1) : splits).map(formatSplit);
  return {
    normalizer: normalizer === null ? null : { type: normalizer },
    pre_tokenizer: steps.length === 0 ? byteLevel : { type: 'Sequence', pretokenizers: [...steps, byteLevel] },
  };
}

function formatSplit(pattern: string): JsonObject {
  if (pattern === DIGIT) return { type: 'Digits', individual_digits: true };
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

function readSplits(preTokenizer: unknown, where: string): string[] {
  const steps = flatten(preTokenizer, 'pretokenizers');
  const last = steps.at(-1);
  if (last?.type !== 'ByteLevel' || last.add_prefix_space !== false) {
    throw unknown('its pre_tokenizer does not end with ByteLevel without a space in front', where);
  }
  const splits = steps.slice(0, -1).map((step) => readSplit(step, where));
  return last.use_regex === false ? splits : [...splits, GPT2];
}

function readSplit(step: JsonObject, where: string): string {
  if (step.type === 'Digits' && step.individual_digits === true) return DIGIT;
  const pattern = isJsonObject(step.pattern) ? step.pattern.Regex : undefined;
  if (step.type === 'Split' && typeof pattern === 'string' && step.behavior === 'Isolated' && step.invert !== true) {
    return pattern.replaceAll('\r', '\\r').replaceAll('\n', '\\n'); // some files have the characters themselves
  }
  throw unknown(`its pre_tokenizer has the step ${JSON.stringify(step).slice(0, 200)}`, where);
}

function readNormalizer(normalizer: unknown, where: string): 'NFC' | null {
  const steps = flatten(normalizer, 'normalizers');
  if (steps.length === 0) return null;
  if (steps.length === 1 && steps[0]?.type === 'NFC') return 'NFC';
  throw unknown(`its normalizer ${JSON.stringify(normalizer).slice(0, 200)}`, where);
}

/** The steps of a Sequence (under `key`), or the single step, or none for null. */
export function flatten(value: unknown, key: string): JsonObject[] {
  if (!isJsonObject(value)) return [];
  const steps = value.type === 'Sequence' ? value[key] : [value];
  return Array.isArray(steps) ? steps.filter(isJsonObject) : [];
}

function unknown(what: string, where: string): UserError {
  return new UserError({
    what: `llama.cpp has no tokenizer like this one: ${what}`,
    where,
    next: 'export safetensors instead of GGUF',
    code: 'tokenizer_unknown_to_gguf',
  });
}
