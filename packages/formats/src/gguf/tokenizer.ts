import { UserError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { flatten } from '../tokenizer/splits.ts';
import type { GgufMetadata, GgufValue } from './metadata.ts';
import { metadataBoolean, metadataNumber, metadataString, metadataStrings } from './metadata.ts';
import { byteLevelFromGguf, byteLevelToGguf } from './tokenizer/byteLevel.ts';
import type { HuggingFaceTokenizer } from './tokenizer/huggingFace.ts';
import { formatTemplate, notExportable, readBpe, specialTokenText, templateTokens } from './tokenizer/huggingFace.ts';
import { sentencePieceFromGguf, sentencePieceToGguf } from './tokenizer/sentencePiece.ts';
import {
  fillerToken,
  formatAddedTokens,
  readVocabulary,
  SPECIAL_KEYS,
  SPECIAL_ROLES,
  TOKEN_TYPE,
} from './tokenizer/vocabulary.ts';

export type { HuggingFaceTokenizer } from './tokenizer/huggingFace.ts';

/**
 * Rebuilds the Hugging Face tokenizer from a GGUF's metadata: `tokenizer.ggml.model` gpt2 (byte-level BPE) or llama and gemma4 (SentencePiece).
 * @throws UserError when the metadata is incomplete, contradicts itself, or names a kind of tokenizer that is not known
 */
export function tokenizerFromGguf(metadata: GgufMetadata, path: string): HuggingFaceTokenizer {
  const model = metadataString(metadata, 'tokenizer.ggml.model', path);
  const isSentencePiece = model === 'llama' || model === 'gemma4';
  const rebuild = model === 'gpt2' ? byteLevelFromGguf : isSentencePiece ? sentencePieceFromGguf : undefined;
  if (rebuild === undefined) {
    throw new UserError({
      what: `tokenizer.ggml.model is ${JSON.stringify(model)}; Anneal reads gpt2, llama and gemma4`,
      where: path,
      next: "take the model's Hugging Face folder instead",
      code: 'gguf_tokenizer_unsupported',
    });
  }
  const vocabulary = readVocabulary(metadata, path);
  const { parts, addBos: defaultAddBos, postProcessor } = rebuild(metadata, vocabulary, path);
  const addBos = metadataBoolean(metadata, 'tokenizer.ggml.add_bos_token', path) ?? defaultAddBos;
  const addEos = metadataBoolean(metadata, 'tokenizer.ggml.add_eos_token', path) ?? false;

  const tokenFor = (id: number | undefined) =>
    id === undefined ? undefined : { id, token: vocabulary.tokens[id] as string };
  const { bos, eos } = vocabulary.special;
  const template = formatTemplate(addBos ? tokenFor(bos) : undefined, addEos ? tokenFor(eos) : undefined);
  const architecture = metadataString(metadata, 'general.architecture', path);
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: formatAddedTokens(vocabulary),
      ...parts,
      post_processor: template ?? postProcessor,
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      add_bos_token: addBos,
      add_eos_token: addEos,
      clean_up_tokenization_spaces: false,
      model_max_length: metadataNumber(metadata, `${architecture}.context_length`, path) ?? null,
      ...Object.fromEntries(
        SPECIAL_ROLES.map((role) => [`${role}_token`, tokenFor(vocabulary.special[role])?.token ?? null]),
      ),
      ...chatTemplateFromGguf(metadata, path),
    },
  };
}

export interface TokenizerExport extends HuggingFaceTokenizer {
  /** Rows of the model's embedding; ids without a token are filled up. */
  readonly vocabSize: number;
  /** Names the tokenizer in errors. */
  readonly path: string;
}

/**
 * The metadata from which llama.cpp builds the same tokenizer, chat template included.
 * @throws UserError when llama.cpp has no tokenizer that gives the same ids
 */
export function tokenizerToGguf({
  tokenizerJson,
  tokenizerConfig,
  vocabSize,
  path,
}: TokenizerExport): Map<string, GgufValue> {
  const bpe = readBpe(tokenizerJson, path);
  const chatTemplate = chatTemplateToGguf(tokenizerConfig, path);
  const tokens = Array.from({ length: vocabSize }, (_, id) => fillerToken(id));
  const types = new Int32Array(vocabSize).fill(TOKEN_TYPE.unused);
  for (const [token, id] of bpe.ids) {
    const name = JSON.stringify(token);
    if (id >= vocabSize) throw notExportable(`the token ${name} has id ${id}, the model ${vocabSize} rows`, path);
    if (types[id] !== TOKEN_TYPE.unused) throw notExportable(`two tokens have the id ${id}`, path);
    tokens[id] = token;
    types[id] = TOKEN_TYPE.normal;
  }

  // A byte-level tokenizer has a token for every byte: byte_fallback never happens in it, though some files say true.
  const isSentencePiece = bpe.byteFallback && !usesByteLevel(tokenizerJson);
  const kind = isSentencePiece
    ? sentencePieceToGguf(tokenizerJson, bpe, tokens, chatTemplate.size > 0, path)
    : byteLevelToGguf(tokenizerJson, bpe, path);
  for (const [id, type] of kind.types) types[id] = type;
  for (const [id, { content, special }] of bpe.added) {
    if (types[id] === TOKEN_TYPE.unknown) continue;
    types[id] = special ? TOKEN_TYPE.control : TOKEN_TYPE.userDefined;
    if (!special && isSentencePiece) tokens[id] = content.replaceAll('▁', ' '); // llama.cpp looks for it in the raw text
  }
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { type: 'string', value: kind.model }],
    ['tokenizer.ggml.pre', { type: 'string', value: kind.pre }],
    ['tokenizer.ggml.tokens', { type: 'array', items: 'string', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'array', items: 'int32', value: types }],
    ...kind.entries,
    ...specialIds(tokenizerConfig, bpe.ids, path),
    ...addedEnds(tokenizerJson, tokenizerConfig, path),
    ...chatTemplate,
  ]);
}

function usesByteLevel({ pre_tokenizer: preTokenizer }: JsonObject): boolean {
  return flatten(preTokenizer, 'pretokenizers').some(({ type }) => type === 'ByteLevel');
}

function specialIds(
  tokenizerConfig: JsonObject,
  ids: ReadonlyMap<string, number>,
  path: string,
): [string, GgufValue][] {
  return SPECIAL_ROLES.flatMap((role): [string, GgufValue][] => {
    const text = specialTokenText(tokenizerConfig, `${role}_token`);
    if (text === undefined) return [];
    const value = ids.get(text);
    if (value === undefined)
      throw notExportable(`${role}_token ${JSON.stringify(text)} is not in the vocabulary`, path);
    return [[SPECIAL_KEYS[role], { type: 'uint32', value }]];
  });
}

/**
 * Whether every text gets bos in front and eos at the end: as training and transformers have it, by the post-processor, whatever
 * `add_bos_token` in tokenizer_config.json says, which llama.cpp's converter would believe.
 */
function addedEnds(tokenizerJson: JsonObject, tokenizerConfig: JsonObject, path: string): [string, GgufValue][] {
  const other = flatten(tokenizerJson.post_processor, 'processors').find(
    ({ type }) => type !== 'TemplateProcessing' && type !== 'ByteLevel',
  );
  if (other) throw notExportable(`its post_processor ${JSON.stringify(other).slice(0, 200)}`, path);
  const { first, last } = templateTokens(tokenizerJson);
  const ends = [
    { role: 'bos', added: first },
    { role: 'eos', added: last },
  ];
  return ends.map(({ role, added }) => {
    const token = specialTokenText(tokenizerConfig, `${role}_token`);
    if (added !== undefined && added !== token) {
      throw notExportable(`its post_processor adds ${added}, which is not the ${role}_token`, path);
    }
    return [`tokenizer.ggml.add_${role}_token`, { type: 'bool', value: added !== undefined }];
  });
}

/** `chat_template` as tokenizer_config.json has it: one template, or the default with others by name (`tool_use`, `rag`). */
export function chatTemplateFromGguf(metadata: GgufMetadata, path: string): JsonObject {
  const template = metadataString(metadata, 'tokenizer.chat_template', path);
  if (template === undefined) return {};
  const names = metadataStrings(metadata, 'tokenizer.chat_templates', path) ?? [];
  if (names.length === 0) return { chat_template: template };
  const others = names.map((name) => ({
    name,
    template: metadataString(metadata, `tokenizer.chat_template.${name}`, path) ?? '',
  }));
  return { chat_template: [{ name: 'default', template }, ...others] };
}

function chatTemplateToGguf({ chat_template: value }: JsonObject, path: string): Map<string, GgufValue> {
  if (value === undefined || value === null) return new Map();
  if (typeof value === 'string') return new Map([['tokenizer.chat_template', { type: 'string', value }]]);
  const entries = new Map<string, GgufValue>();
  const names: string[] = [];
  for (const item of Array.isArray(value) ? value : [undefined]) {
    if (!isJsonObject(item) || typeof item.name !== 'string' || typeof item.template !== 'string') {
      throw notExportable('chat_template is neither a text nor a list of named texts', path);
    }
    if (item.name === 'default') entries.set('tokenizer.chat_template', { type: 'string', value: item.template });
    else {
      names.push(item.name);
      entries.set(`tokenizer.chat_template.${item.name}`, { type: 'string', value: item.template });
    }
  }
  if (names.length > 0) entries.set('tokenizer.chat_templates', { type: 'array', items: 'string', value: names });
  return entries;
}
