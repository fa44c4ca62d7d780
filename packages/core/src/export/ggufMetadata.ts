import type { GgufValue } from '@anneal/formats/gguf/metadata';
import { tokenizerToGguf } from '@anneal/formats/gguf/tokenizer';
import { type JsonObject, parseJsonObject } from '@anneal/formats/json';
import { tryTemplate } from '../datasets/templateTrial.ts';
import { UserError } from '../errors.ts';
import { ggufArchitecture } from '../models/architecture.ts';
import { SAMPLING_KEYS } from '../models/gguf/samplingKeys.ts';
import { metadataOf } from '../models/gguf/writeMetadata.ts';
import type { OpenModel } from '../models/model.ts';
import { chatTemplateValue } from '../templates/chatTemplates.ts';
import { openTemplate, type SpecialTokenTexts, TemplateError } from '../templates/template.ts';
import { configOf } from '../tokenizers/configuredTokens.ts';
import { withoutTokensBeyond } from '../tokenizers/tokensWithoutRow.ts';

/** ggml's GGML_QNT_VERSION: the generation of block formats in use since May 2023. */
const QUANTIZATION_VERSION = 2;

/** Texts by which llama.cpp knows an end token whatever the metadata say. */
const KNOWN_ENDS = new Set(
  '<|eot_id|> <|im_end|> <|end|> <|return|> <|call|> <|eom_id|> <|endoftext|> <|end_of_text|> <end_of_turn> <EOT> _<EOT> <end_of_utterance>'.split(
    ' ',
  ),
);

const ADD_BOS = 'tokenizer.ggml.add_bos_token';

/** Everything llama.cpp needs to know besides the tensors. @param fileType `general.file_type` */
export function ggufMetadata(model: OpenModel, name: string, fileType: number): Map<string, GgufValue> {
  return new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: ggufArchitecture(model.architecture, model.config) }],
    ['general.type', { type: 'string', value: 'model' }],
    ['general.name', { type: 'string', value: name }],
    ['general.file_type', { type: 'uint32', value: fileType }],
    ['general.quantization_version', { type: 'uint32', value: QUANTIZATION_VERSION }],
    ...metadataOf(model.config, model.architecture),
    ...samplingEntries(model.generationConfig),
    ...tokenizerEntries(model),
  ]);
}

function samplingEntries(generation: JsonObject | null): [string, GgufValue][] {
  if (generation?.['do_sample'] !== true) return [];
  return Object.entries(SAMPLING_KEYS).flatMap(([ours, theirs]): [string, GgufValue][] => {
    const value = generation[ours];
    if (typeof value !== 'number') return [];
    return [[theirs, { type: ours === 'top_k' ? 'int32' : 'float32', value }]];
  });
}

function tokenizerEntries(model: OpenModel): Map<string, GgufValue> {
  if (!model.tokenizerFiles.includes('tokenizer.json')) {
    return new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' }]]);
  }
  const read = (file: string): JsonObject | null =>
    model.tokenizerFiles.includes(file)
      ? parseJsonObject(model.readTokenizerFile(file), `${model.path}: ${file}`)
      : null;
  const tokenizerConfig = {
    ...configOf(read),
    chat_template: model.chatTemplates && chatTemplateValue(model.chatTemplates),
  };
  const entries = tokenizerToGguf({
    ...withoutTokensBeyond(
      { tokenizerJson: read('tokenizer.json') ?? {}, tokenizerConfig },
      model.config.vocabSize,
      model.path,
    ),
    vocabSize: model.config.vocabSize,
    path: model.path,
  });
  for (const [key, value] of endTokens(model.config.eosTokenIds, entries)) entries.set(key, value);
  if (chatsLackBos(model, entries)) entries.set(ADD_BOS, { type: 'bool', value: false });
  return entries;
}

/**
 * Whether the tokenizer puts BOS before texts, and the chat template prints none. transformers renders chats without it then, and so are
 * they trained; llama.cpp would put it before chats as well.
 */
function chatsLackBos({ chatTemplates }: OpenModel, entries: ReadonlyMap<string, GgufValue>): boolean {
  const source = chatTemplates?.default;
  const tokens = entries.get('tokenizer.ggml.tokens')?.value as readonly string[] | undefined;
  const text = (kind: string): string | undefined =>
    tokens?.[Number(entries.get(`tokenizer.ggml.${kind}_token_id`)?.value ?? -1)];
  const bos = text('bos');
  if (!source || bos === undefined || entries.get(ADD_BOS)?.value !== true) return false;
  const chat = question(source, { bos, eos: text('eos') });
  return chat !== null && !chat.startsWith(bos);
}

/** What a template prints of one; null where it prints none, or cannot be used here: the model may be for plain texts. */
function question(source: string, tokens: SpecialTokenTexts): string | null {
  try {
    const template = openTemplate(source, tokens);
    const chat = tryTemplate(() => template.render([{ role: 'user', content: 'Hi' }], { addGenerationPrompt: true }));
    return chat instanceof TemplateError ? null : chat;
  } catch (error) {
    if (error instanceof UserError && error.code === 'template_invalid') return null;
    throw error;
  }
}

/** The tokenizer names one end token; a model may have more, which llama.cpp takes as end of turn and of message. */
function endTokens(ends: readonly number[], entries: ReadonlyMap<string, GgufValue>): [string, GgufValue][] {
  const tokens = entries.get('tokenizer.ggml.tokens')?.value as readonly string[];
  const eos = entries.get('tokenizer.ggml.eos_token_id')?.value;
  const others = ends.filter((id) => id !== eos && !KNOWN_ENDS.has(tokens[id] ?? ''));
  const keys = [...(eos === undefined ? ['eos'] : []), 'eot', 'eom'];
  return others
    .slice(0, keys.length)
    .map((value, at) => [`tokenizer.ggml.${keys[at]}_token_id`, { type: 'uint32', value }]);
}
