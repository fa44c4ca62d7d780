import { isJsonObject, type JsonObject } from '../json.ts';

/**
 * How byte-level BPE cuts texts into words before merging: regular expressions that apply one after the other. Every match becomes a word, and
 * so does what lies between.
 */

const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const REST = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const PUNCTUATION = ' ?[^\\s\\p{L}\\p{N}]+';
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const BEFORE_WORD = '[^\\r\\n\\p{L}\\p{N}]?';

/** Those of the families in use, in the spelling of their tokenizer.json. Each takes linear time on any text. */
export const SPLITS = {
  digit: '\\p{N}',
  digits: '\\p{N}+',
  upToThreeDigits: '\\p{N}{1,3}',
  threeDigits: '[0-9][0-9][0-9]',
  punctuation: '[\\p{P}\\$\\+<=>\\^~\\|]+',
  chineseOrKana: '[一-龥\u3040-ゟ゠-ヿ]+',
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  llama3: `${CONTRACTION}|${BEFORE_WORD}\\p{L}+|\\p{N}{1,3}|${PUNCTUATION}[\\r\\n]*|${REST}`,
  qwen2: `${CONTRACTION}|${BEFORE_WORD}\\p{L}+|\\p{N}|${PUNCTUATION}[\\r\\n]*|${REST}`,
  qwen35: `${CONTRACTION}|${BEFORE_WORD}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${REST}`,
  tekken: `${BEFORE_WORD}${UPPER}*${LOWER}+|${BEFORE_WORD}${UPPER}+${LOWER}*|\\p{N}|${PUNCTUATION}[\\r\\n/]*|${REST}`,
  gpt4o:
    `${BEFORE_WORD}${UPPER}*${LOWER}+${CONTRACTION}?|${BEFORE_WORD}${UPPER}+${LOWER}*${CONTRACTION}?|` +
    `\\p{N}{1,3}|${PUNCTUATION}[\\r\\n/]*|${REST}`,
  deepSeek3:
    '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|' +
    REST,
} as const;

/** @param preTokenizer of tokenizer.json; @returns its expressions, or null for one that is not byte-level, or cuts in another way */
export function readSplits(preTokenizer: unknown): string[] | null {
  const steps = flatten(preTokenizer, 'pretokenizers');
  const last = steps.at(-1);
  if (last?.type !== 'ByteLevel' || last.add_prefix_space !== false) return null;
  const splits: string[] = [];
  for (const step of steps.slice(0, -1)) {
    const split = readSplit(step);
    if (split === null) return null;
    splits.push(split);
  }
  return last.use_regex === false ? splits : [...splits, SPLITS.gpt2];
}

function readSplit(step: JsonObject): string | null {
  if (step.type === 'Digits' && step.individual_digits === true) return SPLITS.digit;
  const pattern = isJsonObject(step.pattern) ? step.pattern.Regex : undefined;
  if (step.type !== 'Split' || typeof pattern !== 'string') return null;
  if (step.behavior !== 'Isolated' || step.invert === true) return null;
  return pattern.replaceAll('\r', '\\r').replaceAll('\n', '\\n'); // some files have the characters themselves
}

/** The steps of a Sequence (under `key`), or the single step, or none for null. */
export function flatten(value: unknown, key: string): JsonObject[] {
  if (!isJsonObject(value)) return [];
  const steps = value.type === 'Sequence' ? value[key] : [value];
  return Array.isArray(steps) ? steps.filter(isJsonObject) : [];
}
