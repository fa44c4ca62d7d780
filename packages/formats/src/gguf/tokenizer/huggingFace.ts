import { UserError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { isJsonObject } from '../../json.ts';
import { readMerge } from '../../tokenizer/merges.ts';
import { flatten } from '../../tokenizer/splits.ts';
import type { GgufValue } from '../metadata.ts';

/** The parsed contents of the two files of a Hugging Face tokenizer. */
export interface HuggingFaceTokenizer {
  readonly tokenizerJson: JsonObject;
  readonly tokenizerConfig: JsonObject;
}

/** The parts of tokenizer.json that a GGUF can hold. */
export interface BpeTokenizer {
  /** Token → id, added tokens included. */
  readonly ids: ReadonlyMap<string, number>;
  readonly added: ReadonlyMap<number, { content: string; special: boolean }>;
  readonly merges: readonly (readonly [string, string])[];
  readonly byteFallback: boolean;
  readonly ignoreMerges: boolean;
}

/** What sets the two kinds of tokenizer apart in GGUF metadata. */
export interface GgufTokenizerKind {
  /** `tokenizer.ggml.model` and `tokenizer.ggml.pre`. */
  readonly model: string;
  readonly pre: string;
  /** Token types by id, where the added tokens do not say them. */
  readonly types: ReadonlyMap<number, number>;
  readonly entries: readonly [string, GgufValue][];
}

/** @throws UserError when the file is malformed or its model is something else than plain BPE */
export function readBpe(tokenizerJson: JsonObject, where: string): BpeTokenizer {
  const { model, added_tokens: addedTokens } = tokenizerJson;
  if (!isJsonObject(model) || model.type !== 'BPE' || !isJsonObject(model.vocab) || !Array.isArray(model.merges)) {
    throw notExportable('its model is not BPE', where);
  }
  for (const field of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    if (model[field]) throw notExportable(`its model has ${field}`, where);
  }
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(model.vocab)) ids.set(token, asId(id, token, where));
  const added = readAddedTokens(addedTokens, where);
  for (const [id, { content }] of added) ids.set(content, id);
  return {
    ids,
    added,
    merges: model.merges.map((merge) => mergeOf(merge, where)),
    byteFallback: model.byte_fallback === true,
    ignoreMerges: model.ignore_merges === true,
  };
}

function readAddedTokens(value: unknown, where: string): Map<number, { content: string; special: boolean }> {
  if (value !== undefined && !Array.isArray(value)) throw notExportable('added_tokens is not a list', where);
  const added = new Map<number, { content: string; special: boolean }>();
  for (const token of value ?? []) {
    if (!isJsonObject(token) || typeof token.content !== 'string')
      throw notExportable('an added token has no text', where);
    const { content } = token;
    const trait = ['lstrip', 'rstrip', 'single_word'].find((name) => token[name] === true);
    if (trait !== undefined) throw notExportable(`the added token ${JSON.stringify(content)} has ${trait}`, where);
    added.set(asId(token.id, content, where), { content, special: token.special === true });
  }
  return added;
}

function mergeOf(value: unknown, where: string): readonly [string, string] {
  const merge = readMerge(value);
  if (merge === null) throw notExportable(`${JSON.stringify(value)} is not a merge of two tokens`, where);
  return merge;
}

function asId(value: unknown, token: string, where: string): number {
  if (Number.isInteger(value) && (value as number) >= 0) return value as number;
  throw notExportable(`the token ${JSON.stringify(token)} has no id`, where);
}

/** The text of `bos_token` and its like in tokenizer_config.json: a string, or an object with `content`. */
export function specialTokenText(tokenizerConfig: JsonObject, name: string): string | undefined {
  const value = tokenizerConfig[name];
  const text = isJsonObject(value) ? value.content : value;
  return typeof text === 'string' ? text : undefined;
}

/** The tokens that the post-processor puts before and after every text. */
export function templateTokens(tokenizerJson: JsonObject): { first: string | undefined; last: string | undefined } {
  const template = flatten(tokenizerJson.post_processor, 'processors').find(
    ({ type }) => type === 'TemplateProcessing',
  );
  const single = Array.isArray(template?.single) ? template.single : [];
  const tokenAt = (index: number) => {
    const special = (single.at(index) as JsonObject | undefined)?.SpecialToken;
    return isJsonObject(special) && typeof special.id === 'string' ? special.id : undefined;
  };
  return { first: tokenAt(0), last: tokenAt(-1) };
}

/** A post-processor that adds these tokens, or undefined when there is nothing to add. */
export function formatTemplate(
  first: { token: string; id: number } | undefined,
  last: { token: string; id: number } | undefined,
): JsonObject | undefined {
  const both = [first, last].filter((entry) => entry !== undefined);
  if (both.length === 0) return undefined;
  const sequence = (name: string, type: number) => [
    ...(first ? [{ SpecialToken: { id: first.token, type_id: type } }] : []),
    { Sequence: { id: name, type_id: type } },
    ...(last ? [{ SpecialToken: { id: last.token, type_id: type } }] : []),
  ];
  return {
    type: 'TemplateProcessing',
    single: sequence('A', 0),
    pair: [...sequence('A', 0), ...sequence('B', 1)],
    special_tokens: Object.fromEntries(both.map(({ token, id }) => [token, { id: token, ids: [id], tokens: [token] }])),
  };
}

export function notExportable(what: string, where: string): UserError {
  return new UserError({
    what: `llama.cpp has no tokenizer like this one: ${what}`,
    where,
    next: 'export safetensors instead of GGUF',
    code: 'tokenizer_unknown_to_gguf',
  });
}
