/**
 * Every size a parser accepts from foreign bytes, with its reason. A length field is compared with these (and with the
 * bytes that are really there) before anything is allocated. Real files stay far below; raise a cap when one does not.
 */
const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  /** The reference implementation's own limit (100 MB); the largest real header (DeepSeek-V3, one shard) is under 1 MB. */
  safetensorsHeaderBytes: 100_000_000,
  /** model.safetensors.index.json of DeepSeek-V3 (91 k tensors) is 9 MB. */
  indexBytes: 64 * MiB,
  /** adapter_config.json, config.json, tokenizer_config.json: a few KiB, up to 1 MiB with thousands of added tokens. */
  configBytes: 16 * MiB,
  /** tokenizer.json of Gemma 3 is 33 MB. */
  tokenizerBytes: 256 * MiB,
  /** Metadata and tensor table of a GGUF: dominated by the vocabulary, 5–25 MB in practice. */
  ggufHeaderBytes: 512 * MiB,

  /** Over all shards; a mixture of experts with every expert apart reaches 100 k. */
  tensors: 1_000_000,
  /** Names are paths of modules; real ones end at about 150 characters. */
  nameBytes: 1024,
  /** ggml stops at 4, PyTorch checkpoints at 5 (convolutions). */
  rank: 8,
  /** Rows, columns, experts. Large enough for a flat 8-trillion-element buffer, small enough that products stay exact. */
  dimension: 2 ** 43,
  /** Objects in objects: header → tensor → shape is 3; tokenizer.json and config.json stay under 12. */
  jsonDepth: 64,

  /** Key-value pairs: llama.cpp writes about 40. */
  ggufKeys: 65_536,
  /** The longest metadata string is a chat template, under 64 KiB. */
  ggufStringBytes: 16 * MiB,
  /** Vocabulary, scores, merges: Gemma has 262 k tokens and 515 k merges. */
  ggufArrayItems: 16 * MiB,
  /** Every way to cut a token in two is tried. The longest real ones are runs of 128 spaces and 256 equals signs. */
  tokenCharacters: 1024,
  /** The specification allows arrays of arrays; nobody writes deeper than one level. */
  ggufArrayDepth: 4,
  /** Alignment of tensor data is 32; sector- or page-aligned files use up to 64 KiB. */
  ggufAlignment: 1 * MiB,

  /** A regular expression in target_modules or a rank pattern is matched against every module name: keep it short. */
  patternCharacters: 4096,
  /** Rank of an adapter; beyond the hidden size it is no longer low. */
  loraRank: 65_536,
} as const;
