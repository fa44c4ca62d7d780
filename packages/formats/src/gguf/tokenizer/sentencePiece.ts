import type { JsonObject } from '../../json.ts';
import { isJsonObject } from '../../json.ts';
import { flatten } from '../../tokenizer/splits.ts';
import type { GgufMetadata } from '../metadata.ts';
import { metadataBoolean, metadataNumbers, metadataStrings } from '../metadata.ts';
import { checkMerges } from './byteLevel.ts';
import type { BpeTokenizer, GgufTokenizerKind } from './huggingFace.ts';
import { notExportable } from './huggingFace.ts';
import { mergesFromScores, scoresFromMerges } from './merges.ts';
import type { Vocabulary } from './vocabulary.ts';
import { formatVocab, invalidTokenizer, TOKEN_TYPE } from './vocabulary.ts';

/** `tokenizer.ggml.model = llama`: SentencePiece's BPE, spaces as ▁, unknown characters as bytes (Llama 1 and 2, Mistral, Gemma); `gemma4` has its merges, not only scores. */

const SPACE = '▁';
const ESCAPE_SPACES = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };
const UNESCAPE_SPACES = { type: 'Replace', pattern: { String: SPACE }, content: ' ' };

/** tokenizer.json without added tokens and post-processor. */
export function sentencePieceFromGguf(
  metadata: GgufMetadata,
  vocabulary: Vocabulary,
  path: string,
): { parts: JsonObject; addBos: boolean; postProcessor: null } {
  const { tokens, types, special } = vocabulary;
  const merges = metadataStrings(metadata, 'tokenizer.ggml.merges', path);
  if (merges) checkMerges(merges, vocabulary, path);
  const scores = metadataNumbers(metadata, 'tokenizer.ggml.scores', path);
  if (!merges && scores?.length !== tokens.length)
    throw invalidTokenizer('there is not one score for each token', path);
  const unknown = tokens[special.unk ?? types.indexOf(TOKEN_TYPE.unknown)];
  if (unknown === undefined) throw invalidTokenizer('there is no token for unknown characters', path);

  const prefix = metadataBoolean(metadata, 'tokenizer.ggml.add_space_prefix', path) ?? true;
  const isPiece = (id: number) => types[id] === TOKEN_TYPE.normal || types[id] === TOKEN_TYPE.unused;
  const pieceIds = tokens.map((_, id) => id).filter(isPiece);
  const mergesOfScores = (): [string, string][] =>
    mergesFromScores(
      pieceIds.map((id) => tokens[id] as string),
      pieceIds.map((id) => scores?.[id] as number),
    );
  const decoders = [UNESCAPE_SPACES, { type: 'ByteFallback' }, { type: 'Fuse' }];
  return {
    parts: {
      normalizer: prefix
        ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, ESCAPE_SPACES] }
        : ESCAPE_SPACES,
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: prefix ? [...decoders, { type: 'Strip', content: ' ', start: 1, stop: 0 }] : decoders,
      },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: unknown,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: true,
        byte_fallback: true,
        ignore_merges: false,
        vocab: formatVocab(vocabulary),
        merges: merges?.map((merge) => merge.split(' ')) ?? mergesOfScores(),
      },
    },
    addBos: true,
    postProcessor: null,
  };
}

/**
 * @param hasChatTemplate decides what becomes of "a space before the text, but not after a special token": llama.cpp adds one
 * after special tokens too, or none at all. With a template every text begins with a special token, so none is right;
 * without one, text is completed as it is, and the space is.
 */
export function sentencePieceToGguf(
  tokenizerJson: JsonObject,
  { ids, added, merges, ignoreMerges }: BpeTokenizer,
  tokens: readonly string[],
  hasChatTemplate: boolean,
  where: string,
): GgufTokenizerKind {
  const types = new Map<number, number>();
  for (let byte = 0; byte < 256; byte++) {
    const token = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    const id = ids.get(token);
    if (id === undefined) throw notExportable(`it has no token ${token}`, where);
    types.set(id, TOKEN_TYPE.byte);
  }
  const { unk_token: unknown } = tokenizerJson.model as JsonObject;
  const unknownId = typeof unknown === 'string' ? ids.get(unknown) : undefined;
  if (unknownId !== undefined) types.set(unknownId, TOKEN_TYPE.unknown);

  const pieceIds = tokens.map((_, id) => id).filter((id) => !types.has(id) && !added.has(id));
  const scores = scoresFromMerges(
    pieceIds.map((id) => tokens[id] as string),
    merges,
  );
  if (scores === undefined || ignoreMerges)
    throw notExportable('its merges cannot be written as scores of tokens', where);
  const value = new Float32Array(tokens.length);
  for (const [i, id] of pieceIds.entries()) value[id] = scores[i] as number;
  const prefix = readSpacePrefix(tokenizerJson, hasChatTemplate, where);
  return {
    model: 'llama',
    pre: 'default',
    types,
    entries: [
      ['tokenizer.ggml.scores', { type: 'array', items: 'float32', value }],
      ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: prefix }],
    ],
  };
}

/** Whether a text gets a ▁ in front, by the three ways in which tokenizer.json says it. */
function readSpacePrefix(tokenizerJson: JsonObject, hasChatTemplate: boolean, where: string): boolean {
  const normalizers = flatten(tokenizerJson.normalizer, 'normalizers');
  const steps = flatten(tokenizerJson.pre_tokenizer, 'pretokenizers');
  const escapes = normalizers.at(-1);
  if (escapes === undefined) {
    const [metaspace] = steps;
    if (steps.length === 1 && metaspace?.type === 'Metaspace' && metaspace.split === false) {
      const scheme = metaspace.prepend_scheme;
      if (scheme === 'always' || scheme === 'never') return scheme === 'always';
      if (scheme === 'first') return !hasChatTemplate;
    }
  } else if (isEscape(escapes) && steps.every(isGemmaSplit)) {
    const [prepend, ...more] = normalizers.slice(0, -1);
    if (prepend === undefined) return false;
    if (prepend.type === 'Prepend' && prepend.prepend === SPACE && more.length === 0) return true;
  }
  throw notExportable('its normalizer and pre_tokenizer are not those of SentencePiece', where);
}

function isEscape(step: JsonObject): boolean {
  return step.type === 'Replace' && step.content === SPACE && isJsonObject(step.pattern) && step.pattern.String === ' ';
}

/** Splits at spaces when the normalizer has left none: no effect. */
function isGemmaSplit(step: JsonObject): boolean {
  return step.type === 'Split' && isJsonObject(step.pattern) && step.pattern.String === ' ';
}
