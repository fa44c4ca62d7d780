import type { TensorInfo, TensorSource } from '@anneal/formats/tensor';
import { UserError } from '../errors.ts';
import type { ModelConfig } from './config.ts';
import { expectedTensors } from './tensors.ts';

type CheckedSource = Pick<TensorSource, 'path' | 'tensors' | 'bytes'>;

/** Computed, not weights: old Llama checkpoints carry the first, GGUF files of Llama 3 and Phi-3 the others. */
const DERIVED = /(^|\.)rotary_emb\.inv_freq$|^rope_(freqs|factors_(short|long))\.weight$/;

/**
 * Pairs every tensor the config asks for with the one in the file.
 * @param fileName the name in the file of one of our tensors  @param isLeftOut of a tensor that is no part of the text model
 * @throws UserError when tensors are missing, left over, misshapen, or no floating-point weights
 */
export function checkTensors(
  config: ModelConfig,
  source: CheckedSource,
  fileName: (ours: string) => string | undefined,
  isLeftOut: (stored: string) => boolean = () => false,
): Map<string, TensorInfo> {
  const found = new Map<string, TensorInfo>();
  const used = new Set<string>();
  for (const [name, shape] of expectedTensors(config)) {
    const stored = fileName(name);
    if (stored === undefined) throw new Error(`${name} has no row in the name table of ${config.architecture}`);
    const info = source.tensors.get(stored);
    if (!info) throw problem(source, `the tensor ${stored} is missing`, 'model_tensor_missing');
    if (info.shape.length !== shape.length || info.shape.some((size, axis) => size !== shape[axis])) {
      const what = `the tensor ${stored} has shape [${info.shape}], but the config asks for [${shape}]`;
      throw problem(source, what, 'model_tensor_shape');
    }
    if (/^([IU]\d+|BOOL)$/.test(info.dtype)) {
      throw problem(
        source,
        `the tensor ${stored} holds ${info.dtype}, which are no weights to train`,
        'model_tensor_dtype',
      );
    }
    found.set(name, info);
    used.add(stored);
  }
  const head = fileName('lm_head');
  for (const stored of source.tensors.keys()) {
    if (used.has(stored) || DERIVED.test(stored) || isLeftOut(stored)) continue;
    if (stored === head && config.tieWordEmbeddings && isCopyOfEmbedding(source, stored, fileName('embed'))) continue;
    throw problem(
      source,
      `the tensor ${stored} belongs to no part of a ${config.architecture} model`,
      'model_tensor_surplus',
    );
  }
  return found;
}

/** Some tools save the tied head a second time. */
function isCopyOfEmbedding(source: CheckedSource, head: string, embedding: string | undefined): boolean {
  if (embedding === undefined) return false;
  if (Buffer.compare(source.bytes(head), source.bytes(embedding)) === 0) return true;
  throw problem(
    source,
    `${head} differs from ${embedding}, although tie_word_embeddings says they are one`,
    'model_tensor_contradiction',
  );
}

function problem(source: CheckedSource, what: string, code: string): UserError {
  return new UserError({
    what,
    where: source.path,
    next: 'check that weights and config belong together, or download the model again',
    code,
  });
}
